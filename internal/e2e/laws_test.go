package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/invariants"
)

// broken are the laws that the course of a scenario breaks, and those that its
// end breaks by itself.
func (w *world) broken() (course, end []invariants.Invariant) {
	w.t.Helper()
	facts, now := w.facts()
	names := func(all []invariants.Violation) (names []invariants.Invariant) {
		seen := map[invariants.Invariant]bool{}
		for _, v := range all {
			w.t.Log(v)
			if !seen[v.Invariant] {
				names = append(names, v.Invariant)
			}
			seen[v.Invariant] = true
		}
		return names
	}
	return names(invariants.Check(facts)), names(invariants.CheckNow(now))
}

// A program that does wrong is seen to do wrong, whatever it believes itself:
// here its processes run by other rules than those that were promised, or
// somebody else has been at the tables.
func TestTheLawsSeeWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name        string
		do          func(w *world, volumes []string)
		course, end []invariants.Invariant
	}{
		{"caps that are not kept", func(w *world, _ []string) {
			w.set.MaxBackupsInProgress = 2
			w.beats()
		}, []invariants.Invariant{invariants.CapExceeded}, nil},
		{"a floor that is not kept", func(w *world, _ []string) {
			w.work.Settings.MinRestorePoints = 0
			w.run(6*time.Hour, time.Hour)
			w.sim.BreakTarget("no space left")
			w.run(4*day, 6*time.Hour)
		}, []invariants.Invariant{invariants.FloorBroken}, nil},
		{"a retention that is not kept", func(w *world, _ []string) {
			w.sched.Settings.RetentionTime, w.work.Settings.FullBackupDepth = backup.Period{Days: 1}, 0
			w.run(3*day, 6*time.Hour)
		}, []invariants.Invariant{invariants.EarlyRemoval}, nil},
		{"nobody works", func(w *world, _ []string) {
			w.stop()
			w.plan()
			require.NoError(w.t, w.sched.Dispatch(w.ctx, w.beat()))
			w.step(time.Minute)
			w.exec(`UPDATE test_clock SET at = at + interval '2 hours'`)
		}, []invariants.Invariant{invariants.StuckRecord}, []invariants.Invariant{invariants.StuckRecord}},
		{"nobody looks how it ended", func(w *world, _ []string) {
			w.beats()
			w.step(time.Minute)
			w.stop()
			w.exec(`UPDATE test_clock SET at = at + interval '2 hours'`)
		}, []invariants.Invariant{invariants.StuckRecord}, []invariants.Invariant{invariants.StuckRecord}},
		{"a backup that nobody knows", func(w *world, volumes []string) {
			tag := backup.Tag{Installation: w.sched.Identity.Installation, Record: "none"}.Metadata()
			w.sim.AddBackup(cloudsim.NewBackup{Volume: volumes[0], Metadata: tag})
		}, []invariants.Invariant{invariants.Orphan}, []invariants.Invariant{invariants.Orphan}},
		{"a record of the wrong kind", func(w *world, _ []string) {
			w.run(2*time.Hour, time.Hour)
			w.exec(`UPDATE records SET kind = 'incremental'`)
		}, []invariants.Invariant{invariants.FalseRecord}, []invariants.Invariant{invariants.FalseRecord}},
		{"a restore point that is gone", func(w *world, volumes []string) {
			w.run(2*time.Hour, time.Hour)
			w.sim.RemoveBackup(w.last(volumes[0]).BackupID)
		}, []invariants.Invariant{invariants.LostRecord}, []invariants.Invariant{invariants.LostRecord}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := daily(t, slow)
			_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 3)
			c.do(w, volumes)
			course, end := w.broken()
			require.Equal(t, c.course, course)
			require.Equal(t, c.end, end)
		})
	}
}
