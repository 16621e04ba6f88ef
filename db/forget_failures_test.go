package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestForgetFailuresKeepsNewestAndUnreported(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, v := range []string{"v", "few"} {
		h.volume(v, nil)
	}
	h.generate("v", "failed", "full", 200)
	h.generate("few", "failed", "full", failuresKept)
	h.record("leftover", shapes["leftover"].with(row{"ended_at": base.Add(-900 * hour)}))
	h.record("point", point("point", 901*hour))
	h.exec(`UPDATE records SET report_id = '' WHERE id <> 'v 150'`)
	n, err := h.run().ForgetFailures(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, 200-failuresKept-1, n)
	assert.Equal(t, failuresKept, h.count("SELECT count(*) FROM records WHERE id LIKE 'v %' AND ended_at >= $1", base.Add(-failuresKept*hour)))
	assert.Equal(t, 3, h.count("SELECT count(*) FROM records WHERE id IN ('v 150', 'leftover', 'point')"))
	assert.Equal(t, failuresKept, h.count("SELECT count(*) FROM records WHERE volume_id = 'few'"))
	n, err = h.run().ForgetFailures(h.ctx)
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestForgetDeletesOldAuditRows(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, age := range []int{1, 3} {
		h.exec("INSERT INTO audit (at, who, action, object, project_id, intent) VALUES ($1, 'me', 'pause', '', '', '')", base.Add(-hour*24*time.Duration(age)))
	}
	_, err := h.run().Forget(h.ctx, base.Add(-2*day))
	require.NoError(t, err)
	assert.Equal(t, 1, h.count("SELECT count(*) FROM audit"))
}
