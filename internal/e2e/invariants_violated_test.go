package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/invariants"
)

// violatedInvariants returns the invariants that were violated during a scenario, and those violated at its end.
func (w *environment) violatedInvariants() (course, end []invariants.Invariant) {
	w.T.Helper()
	facts, now := w.Facts()
	names := func(all []invariants.Violation) (names []invariants.Invariant) {
		seen := map[invariants.Invariant]bool{}
		for _, v := range all {
			w.T.Log(v)
			if !seen[v.Invariant] {
				names = append(names, v.Invariant)
			}
			seen[v.Invariant] = true
		}
		return names
	}
	return names(invariants.Check(facts)), names(invariants.CheckNow(now))
}

// The invariants detect a wrong program independently of its own records: its processes run with other settings than were
// promised, or somebody has changed the tables.
func TestInvariantsDetectViolations(t *testing.T) {
	for _, c := range []struct {
		name        string
		do          func(w *environment, volumes []string)
		course, end []invariants.Invariant
	}{
		{"caps that are not kept", func(w *environment, _ []string) {
			w.Settings.MaxBackupsInProgress = 2
			w.RunDue()
		}, []invariants.Invariant{invariants.CapExceeded}, nil},
		{"a floor that is not kept", func(w *environment, _ []string) {
			w.Worker.Settings.MinRestorePoints = 0
			w.Advance(6*time.Hour, time.Hour)
			w.Sim.BreakTarget("no space left")
			w.Advance(4*day, 6*time.Hour)
		}, []invariants.Invariant{invariants.FloorBroken}, nil},
		{"a retention that is not kept", func(w *environment, _ []string) {
			w.Scheduler.Settings.RetentionTime, w.Worker.Settings.FullBackupDepth = backup.Period{Days: 1}, 0
			w.Advance(3*day, 6*time.Hour)
		}, []invariants.Invariant{invariants.EarlyRemoval}, nil},
		{"nobody works", func(w *environment, _ []string) {
			w.StopWorker()
			w.Plan()
			require.NoError(w.T, w.Scheduler.Dispatch(w.Ctx, w.BeginRun()))
			w.Step(time.Minute)
			w.Exec(`UPDATE test_clock SET at = at + interval '2 hours'`)
		}, []invariants.Invariant{invariants.StuckRecord}, []invariants.Invariant{invariants.StuckRecord}},
		{"nobody reads how the backup ended", func(w *environment, _ []string) {
			w.RunDue()
			w.Step(time.Minute)
			w.StopWorker()
			w.Exec(`UPDATE test_clock SET at = at + interval '2 hours'`)
		}, []invariants.Invariant{invariants.StuckRecord}, []invariants.Invariant{invariants.StuckRecord}},
		{"a backup that nobody knows", func(w *environment, volumes []string) {
			tag := backup.Tag{Installation: w.Scheduler.Identity.Installation, Record: "none"}.Metadata()
			w.Sim.AddBackup(cloudsim.NewBackup{Volume: volumes[0], Metadata: tag})
		}, []invariants.Invariant{invariants.Orphan}, []invariants.Invariant{invariants.Orphan}},
		{"a record of the wrong kind", func(w *environment, _ []string) {
			w.Advance(2*time.Hour, time.Hour)
			w.Exec(`UPDATE records SET kind = 'incremental'`)
		}, []invariants.Invariant{invariants.FalseRecord}, []invariants.Invariant{invariants.FalseRecord}},
		{"a restore point that is gone", func(w *environment, volumes []string) {
			w.Advance(2*time.Hour, time.Hour)
			w.Sim.RemoveBackup(w.LastRecord(volumes[0]).BackupID)
		}, []invariants.Invariant{invariants.LostRecord}, []invariants.Invariant{invariants.LostRecord}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := daily(t, fourPlansADay)
			_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 3)
			c.do(w, volumes)
			course, end := w.violatedInvariants()
			require.Equal(t, c.course, course)
			require.Equal(t, c.end, end)
		})
	}
}
