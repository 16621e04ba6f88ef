package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit"
	"staffeln/tasks"
)

// A worker is stopped while Postgres executes its lease statement: it waits for the result and returns the lease. A lost lease
// would block the volume, or the group's reports, until it expires.
func TestStoppingWorkerReturnsItsLease(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembersAndOperator)
	project := p.Sim.AddProject("acme")
	_, volumes := p.Protect(project, "web-1", 1)
	p.Plan()
	held, err := p.DB.LeaseReports(p.Ctx, project, time.Minute) // so that there is a row of the group to lock
	require.NoError(t, err)
	require.NoError(t, held.Release(p.Ctx))
	for table, lease := range map[string]func(context.Context) error{
		"volumes": func(ctx context.Context) error {
			return p.Worker.Handlers().Backup(ctx, tasks.VolumeTask{VolumeID: volumes[0]})
		},
		"report_groups": func(ctx context.Context) error {
			return p.reporter.Handlers().Report(ctx, tasks.Report{Group: project})
		},
	} {
		lock, err := p.Pool.Begin(p.Ctx)
		require.NoError(t, err)
		_, err = lock.Exec(p.Ctx, `SELECT FROM `+table+` FOR UPDATE`)
		require.NoError(t, err)
		ctx, stop := context.WithCancel(p.Ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = lease(ctx) // the worker is stopped; its result does not matter here
		}()
		waits := `wait_event_type = 'Lock'`
		leases := func(state string) func() bool {
			return func() bool {
				return p.queryInt(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND `+state+` AND query LIKE '%gen_random_uuid%' AND pid <> pg_backend_pid()`) > 0
			}
		}
		testkit.Eventually(t, "the lease waits for the lock", time.Minute, leases(waits))
		stop()
		require.NoError(t, lock.Rollback(p.Ctx))
		<-done
		testkit.Eventually(t, "Postgres has carried out the lease", time.Minute, func() bool { return !leases(`state = 'active'`)() })
		require.Zero(t, p.queryInt(`SELECT count(*) FROM `+table+` WHERE lease_token IS NOT NULL`), "leases that nobody gave back in %s", table)
	}
}
