package db

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// writes has all methods with which a run writes.
var writes = map[string]func(*harness, *Run) error{
	"Admit": func(h *harness, b *Run) error { _, err := b.Admit(h.ctx, backup.Caps{}, backup.Outage{}); return err },
	"Plan": func(h *harness, b *Run) error {
		r := h.read("r")
		r.VolumeID = "other"
		_, err := b.Plan(h.ctx, []backup.Record{r})
		return err
	},
	"WithdrawAll": func(h *harness, b *Run) error {
		_, err := b.WithdrawAll(h.ctx, []string{"r"}, []backup.Reason{backup.NotProtected})
		return err
	},
	"Remember": func(h *harness, b *Run) error {
		v := Volume{ID: "new", Retention: backup.Retention{InForce: backup.Period{Days: 1}, Source: backup.FromDefault}, SeenAt: base}
		return b.StoreVolumes(h.ctx, []Volume{v}, nil)
	},
	"Found": func(h *harness, b *Run) error {
		_, err := b.RecordFindings(h.ctx, []backup.Finding{{Reason: backup.RetentionShortened, Object: "v"}}, true)
		return err
	},
	"RemovalDue": func(h *harness, b *Run) error { return b.RemovalDue(h.ctx, []string{"v"}) },
	"Seen": func(h *harness, b *Run) error {
		_, err := b.Seen(h.ctx, []backup.Backup{{ID: "b-elder", Status: "restoring"}, {ID: "b-lost", Status: "available"}})
		return err
	},
	"Lose":              func(h *harness, b *Run) error { return b.Lose(h.ctx, "elder") },
	"Restoring":         func(h *harness, b *Run) error { return b.Restoring(h.ctx, []string{"b-elder"}) },
	"Twin":              func(h *harness, b *Run) error { return b.Twin(h.ctx, h.read("r"), made) },
	"Forget":            func(h *harness, b *Run) error { _, err := b.Forget(h.ctx, base.Add(hour)); return err },
	"Done plan":         func(h *harness, b *Run) error { return b.Done(h.ctx, PlanRun, base) },
	"Done dispatch run": func(h *harness, b *Run) error { return b.Done(h.ctx, DispatchRun, base) },
	"Done retention":    func(h *harness, b *Run) error { return b.Done(h.ctx, RetentionRun, base) },
	"Done reconcile":    func(h *harness, b *Run) error { return b.Done(h.ctx, ReconcileRun, base) },
}

// seed writes data that each of the writes would change.
func (h *harness) seed() {
	h.shaped("planned")
	h.exec("UPDATE records SET admitted_at = NULL WHERE id = 'r'")
	h.record("lost", point("b-lost", hour).with(row{"state": "lost", "volume_id": "other"}))
	h.record("past", shapes["withdrawn"])
}

func TestRunOfAnOlderTermWritesNothing(t *testing.T) {
	t.Parallel()
	for name, write := range writes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.seed()
			old := h.run()
			h.lead("next")
			h.changesNothing(func() { require.ErrorIs(t, write(h, old), ErrLostLeadership) })
			lines := h.changes(func() { require.NoError(t, write(h, h.run())) })
			assert.NotEmpty(t, lines, "in its own term it writes")
		})
	}
}

func TestDoneRejectsUnknownRuns(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.changesNothing(func() {
		err := h.run().Done(h.ctx, "lunch", base)
		require.ErrorContains(t, err, `none called "lunch"`)
		require.NotErrorIs(t, err, ErrLostLeadership)
	})
}

func TestRunTimesAreStoredForTheNextRun(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	b := h.run()
	assert.Equal(t, LastRuns{}, b.LastRuns)
	assert.Equal(t, base, b.Now)
	for i, kind := range []string{PlanRun, DispatchRun, RetentionRun, ReconcileRun, ReportRun} {
		lines := h.changes(func() { require.NoError(t, b.Done(h.ctx, kind, base.Add(hour))) })
		assert.Equal(t, []string{"leadership row " + kind + ": null -> +1h0m0s"}, lines)
		got := h.run().LastRuns
		all := []any{got.PlannedAt, got.DispatchedAt, got.RetentionAt, got.ReconciledAt, got.ReportedAt}
		at := base.Add(hour)
		assert.Equal(t, &at, all[i])
	}
}

// A new term waits for the current write, and the next write of the old term fails.
func TestNewTermWaitsForTheWriteOfTheOldTerm(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.seed()
	b := h.run()
	tx, err := h.db.pool.Begin(h.ctx)
	require.NoError(t, err)
	_, err = tx.Exec(h.ctx, "UPDATE records SET cinder_status = 'held' WHERE id = 'r'")
	require.NoError(t, err)

	var group sync.WaitGroup
	var written error
	group.Go(func() { written = writes["WithdrawAll"](h, b) })
	h.waitForLocks(1)
	group.Go(func() {
		l, err := Lead(h.ctx, h.url, "next")
		if assert.NoError(t, err) {
			l.Resign()
		}
	})
	h.waitForLocks(2)
	require.NoError(t, tx.Commit(h.ctx))
	group.Wait()
	require.NoError(t, written)
	assert.Equal(t, backup.Withdrawn, h.read("r").State)
	require.ErrorIs(t, writes["Done plan"](h, b), ErrLostLeadership)
}
