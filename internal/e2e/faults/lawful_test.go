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

// settled is how long, at rest, a record may have been left alone.
const settled = time.Minute

// lawful checks that no law was broken, from the beginning of the load until now.
func (r *installation) lawful() {
	r.T.Helper()
	var broken []string
	for _, v := range r.broken() {
		broken = append(broken, v.String())
	}
	require.Empty(r.T, broken, "broken laws")
	require.Empty(r.T, r.Sim.UnknownRoutes(), "requests that cloudsim has no code for")
	for _, kind := range []string{cloudsim.ChainDestroyed, cloudsim.ForeignDeletion} {
		require.Zero(r.T, r.happened(kind), kind)
	}
	r.T.Logf("%d backups made, %d removed; no law broken", r.happened(cloudsim.BackupAvailable), r.happened(cloudsim.BackupDeleted))
}

// broken answers every violation, in the course of the journal and at its end.
func (r *installation) broken() []invariants.Violation {
	r.T.Helper()
	us := evidence.Us{User: r.Sim.Cast().Service}
	require.NoError(r.T, r.DB.QueryRow(r.Ctx, `SELECT id FROM installation`).Scan(&us.Installation))
	journal, gone := evidence.Journal(r.Sim.Journal(), r.Sim, us)
	now, records, err := evidence.Records(r.Ctx, r.DB)
	require.NoError(r.T, err)
	facts := invariants.Facts{
		Now: now, Journal: journal, Records: records, Gone: gone,
		Limits: invariants.Limits{Step: settled, Removal: settled},
		Caps:   invariants.Caps{Total: 12, PerProject: 5, Stuck: 10},
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

// cloudNow is the time of the cloud's clock: the journal's newest entry is not later.
func (r *installation) cloudNow() time.Time {
	if r.clock != nil {
		return r.clock()
	}
	return time.Now()
}
