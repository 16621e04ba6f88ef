//go:build faults

package e2e

import (
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/witness"
	"staffeln/laws"
	"staffeln/openstack/cloudsim"
)

// settled is how long, at rest, a record may have been left alone.
const settled = time.Minute

// lawful checks that no law was broken, from the beginning of the load until now.
func (r *rig) lawful() {
	r.t.Helper()
	var broken []string
	for _, v := range r.broken() {
		broken = append(broken, v.String())
	}
	require.Empty(r.t, broken, "broken laws")
	require.Empty(r.t, r.sim.UnknownRoutes(), "requests that cloudsim has no code for")
	for _, kind := range []string{cloudsim.ChainDestroyed, cloudsim.ForeignDeletion} {
		require.Zero(r.t, r.happened(kind), kind)
	}
	r.t.Logf("%d backups made, %d removed; no law broken", r.happened(cloudsim.BackupAvailable), r.happened(cloudsim.BackupDeleted))
}

// broken answers every violation, in the course of the journal and at its end.
func (r *rig) broken() []laws.Violation {
	r.t.Helper()
	us := witness.Us{User: r.sim.Cast().Service}
	require.NoError(r.t, r.db.QueryRow(r.ctx, `SELECT id FROM installation`).Scan(&us.Installation))
	journal, gone := witness.Journal(r.sim.Journal(), r.sim, us)
	now, records, err := witness.Records(r.ctx, r.db)
	require.NoError(r.t, err)
	facts := laws.Facts{
		Now: now, Journal: journal, Records: records, Gone: gone,
		Limits: laws.Limits{Step: settled, Removal: settled},
		Caps:   laws.Caps{Total: 12, PerProject: 5, Stuck: 10},
	}
	if r.policy.uncapped {
		facts.Caps = laws.Caps{}
	}
	for _, v := range r.sim.Volumes() {
		facts.Promises = append(facts.Promises, laws.Promise{
			Volume: v.ID, Project: v.Project, Floor: floor, Retention: backup.Period{Clock: r.policy.retention},
		})
	}
	return append(laws.Check(facts), laws.CheckNow(laws.Snapshot{
		Now: now, Backups: witness.Listed(r.sim, us), Records: records, Limits: facts.Limits,
	})...)
}

// cloudNow is the time of the cloud's clock: the journal's newest entry is not later.
func (r *rig) cloudNow() time.Time {
	if r.clock != nil {
		return r.clock()
	}
	return time.Now()
}
