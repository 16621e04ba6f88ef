package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// held returns why each waiting record was not admitted.
func (h *harness) held() map[string]backup.Held {
	h.t.Helper()
	all := map[string]backup.Held{}
	require.NoError(h.t, h.db.Snapshot(h.ctx, func(l *Snapshot) error {
		records, err := l.Backups(h.ctx, Filter{States: []string{"planned"}})
		for _, r := range records {
			all[r.ID] = r.Held
		}
		return err
	}))
	return all
}

func TestDispatchRecordsWhyEachRecordIsNotAdmitted(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.plan("first", age(48*time.Hour))
	h.plan("second", nil)
	h.plan("elsewhere", row{"availability_zone": "dead"})
	h.plan("stopped", row{"project_id": "stopped"})
	h.pause("stopped")
	admit := func(caps backup.Caps, dead bool) {
		t.Helper()
		_, err := h.run().Admit(h.ctx, caps, backup.Outage{Zones: map[string]bool{"dead": dead}})
		require.NoError(t, err)
	}
	admit(backup.Caps{PerProject: 1}, true)
	want := map[string]backup.Held{"first": backup.HeldByProject, "second": "", "elsewhere": backup.Held(backup.WhileOutage), "stopped": backup.HeldByPause}
	assert.Equal(t, want, h.held())
	h.changesNothing(func() { admit(backup.Caps{PerProject: 1}, true) })

	h.plan("third", nil)
	admit(backup.Caps{Total: 1}, true) // all slots are in use
	want["third"] = backup.HeldByTotal
	assert.Equal(t, want, h.held())
	h.changesNothing(func() { admit(backup.Caps{Total: 1}, true) })

	h.exec("DELETE FROM pauses")
	admit(backup.Caps{}, false)
	assert.Equal(t, map[string]backup.Held{"first": "", "second": "", "elsewhere": "", "stopped": "", "third": ""}, h.held(), "all are admitted")
}
