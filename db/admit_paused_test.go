package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func TestAdmissionSkipsPausedRecordsAndFreesTheirSlots(t *testing.T) {
	t.Parallel()
	for _, stopped := range []string{"stopped", "p"} {
		h := newHarness(t)
		h.plan("held", shapes["planned"].with(row{"project_id": "stopped"}))
		h.plan("waits", row{"project_id": "stopped"})
		h.plan("free", shapes["planned"].with(row{"admitted_at": nil}))
		h.plan("free too", row{"project_id": "third"})
		h.pause(stopped)
		var a backup.Admission
		lines := h.changes(func() {
			var err error
			a, err = h.run().Admit(h.ctx, backup.Caps{Total: 2, PerProject: 1}, backup.Outage{})
			require.NoError(t, err)
		})
		want := map[string][]string{
			"stopped": {"records free admitted_at: null -> now", "records free too admitted_at: null -> now", "records held admitted_at: -1h0m0s -> null", "records held held: '' -> paused", "records waits held: '' -> paused"},
			"p":       {"records free held: '' -> paused", "records free too admitted_at: null -> now", "records waits held: '' -> total"},
		}
		assert.Equal(t, want[stopped], lines)
		assert.Len(t, a.Admitted, map[string]int{"stopped": 2, "p": 1}[stopped])
		h.changesNothing(func() { assert.Empty(t, h.admit(backup.Caps{Total: 2, PerProject: 1})) })

		h.exec("DELETE FROM pauses")
		assert.Len(t, h.admit(backup.Caps{PerProject: 1}), 1, "what was passed over has its turn again")
	}
}

// Requested backups keep their slots, paused or not.
func TestRequestedBackupKeepsItsSlotDuringAPause(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.plan("asked", shapes["asked"].with(row{"project_id": "stopped", "requested_at": base.Add(-time.Minute)}))
	h.plan("free", nil)
	h.pause("stopped")
	lines := h.changes(func() { assert.Empty(t, h.admit(backup.Caps{Total: 1})) })
	assert.Equal(t, []string{"records free held: '' -> total"}, lines)
}

func TestPauseOfAllProjectsAdmitsNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.plan("a", nil)
	h.plan("manual", row{"manual": true, "project_id": "q"})
	h.pause("")
	lines := h.changes(func() { assert.Empty(t, h.admit(backup.Caps{})) })
	assert.Equal(t, []string{"records a held: '' -> paused", "records manual held: '' -> paused"}, lines)
}
