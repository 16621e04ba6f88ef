//go:build faults

package faults

import (
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/evidence"
	"staffeln/internal/invariants"
)

// idleLimit is how long a record may be without progress at the end.
const idleLimit = time.Minute

// requireInvariants asserts that no invariant was violated since the start.
func (r *installation) requireInvariants() {
	r.T.Helper()
	var violated []string
	for _, v := range r.violations() {
		violated = append(violated, v.String())
	}
	require.Empty(r.T, violated, "violated invariants")
	require.Empty(r.T, r.Sim.UnknownRoutes(), "requests that cloudsim has no code for")
	for _, kind := range []string{cloudsim.ChainDestroyed, cloudsim.ForeignDeletion} {
		require.Zero(r.T, r.events(kind), kind)
	}
	r.T.Logf("%d backups made, %d removed; no invariant violated", r.events(cloudsim.BackupAvailable), r.events(cloudsim.BackupDeleted))
}

// violations returns all violated invariants, during the test and at its end.
func (r *installation) violations() []invariants.Violation {
	r.T.Helper()
	us := evidence.Us{User: r.Sim.Cast().Service}
	require.NoError(r.T, r.DB.QueryRow(r.Ctx, `SELECT id FROM installation`).Scan(&us.Installation))
	journal, gone := evidence.Journal(r.Sim.Journal(), r.Sim, us)
	now, records, err := evidence.Records(r.Ctx, r.DB)
	require.NoError(r.T, err)
	facts := invariants.Facts{
		Now: now, Journal: journal, Records: records, Gone: gone,
		Limits: invariants.Limits{Step: idleLimit, Removal: idleLimit},
		Caps:   invariants.Caps{Total: 12, PerProject: 5, Slow: 10},
	}
	if r.policy.uncapped {
		facts.Caps = invariants.Caps{}
	}
	for _, v := range r.Sim.Volumes() {
		facts.Promises = append(facts.Promises, invariants.Promise{
			Volume: v.ID, Project: v.Project, Floor: floor, Retention: backup.Period{Clock: r.policy.retention},
		})
	}
	return append(invariants.Check(facts), invariants.CheckNow(invariants.Snapshot{
		Now: now, Backups: evidence.Listed(r.Sim, us), Records: records, Limits: facts.Limits,
	})...)
}

// cloudNow returns the time of the cloud's clock: no entry of the journal is newer.
func (r *installation) cloudNow() time.Time {
	if r.clock != nil {
		return r.clock()
	}
	return time.Now()
}
