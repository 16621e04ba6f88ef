package db

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const day = 24 * time.Hour

func (h *house) aged() []string {
	h.t.Helper()
	volumes, err := h.beat().Aged(h.ctx)
	require.NoError(h.t, err)
	var all []string
	for _, v := range volumes {
		all = append(all, v.ID)
	}
	slices.Sort(all)
	return all
}

func TestAVolumeIsAgedExactlyWhenItsOldestPointIsPastTheRetentionInForce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.volume("v", row{"retention": "3 days"})
	h.record("oldest", point("b1", 2*day).with(row{"retention": "1 day"}))
	h.record("younger", point("b2", day))
	h.clock.Set(base.Add(day - time.Microsecond))
	assert.Empty(t, h.aged(), "the volume's retention holds, not the record's")
	h.clock.Set(base.Add(day))
	assert.Equal(t, []string{"v"}, h.aged())
	require.NoError(t, h.beat().RemovalDue(h.ctx, []string{"v"}))
	assert.Empty(t, h.aged(), "what is marked needs no second look")
}

func TestOnlyRestorePointsAge(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.volume("none", nil)
	for _, shape := range shapeNames() {
		if shape != "available" {
			h.plan(shape, shapes[shape].with(unique(shapes[shape], shape)))
		}
	}
	h.clock.Step(1000 * day)
	assert.Empty(t, h.aged())
}

func TestWithoutARetentionInForceEachRecordsOwnHolds(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.volume("v", row{"protected": false, "retention": nil, "retention_source": nil})
	h.record("oldest", point("b1", 2*day).with(row{"retention": "1 year"}))
	h.record("younger", point("b2", day).with(row{"retention": "2 days"}))
	assert.Empty(t, h.aged())
	h.clock.Step(day)
	assert.Equal(t, []string{"v"}, h.aged(), "the younger one is past its own")
}

func TestAVolumeThatIsGoneAgesToo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.volume("v", row{"protected": false, "gone_at": base, "retention": "1 day"})
	h.record("r", point("b", day))
	volumes, err := h.beat().Aged(h.ctx)
	require.NoError(t, err)
	require.Len(t, volumes, 1)
	assert.Equal(t, h.volumes()["v"], volumes[0], "it comes whole")
}
