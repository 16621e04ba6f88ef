package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit"
	"staffeln/tasks"
)

// A worker is told to stop while Postgres still carries out its claim: the answer is waited for, and the lease given
// back. Lost, it would keep the volume, or the group's reports, from everybody for the whole lease.
func TestAClaimIsAnsweredThoughItsWorkerStops(t *testing.T) {
	t.Parallel()
	p := newPost(t, toMembersAndOperator)
	project := p.sim.AddProject("acme")
	_, volumes := p.protect(project, "web-1", 1)
	p.plan()
	held, err := p.db.ClaimReports(p.ctx, project, time.Minute) // so that the group has a row to lock
	require.NoError(t, err)
	require.NoError(t, held.Release(p.ctx))
	for table, claim := range map[string]func(context.Context) error{
		"volumes": func(ctx context.Context) error {
			return p.work.Handlers().Backup(ctx, tasks.Volume{VolumeID: volumes[0]})
		},
		"report_groups": func(ctx context.Context) error {
			return p.reporter.Handlers().Report(ctx, tasks.Report{Group: project})
		},
	} {
		lock, err := p.pool.Begin(p.ctx)
		require.NoError(t, err)
		_, err = lock.Exec(p.ctx, `SELECT FROM `+table+` FOR UPDATE`)
		require.NoError(t, err)
		ctx, stop := context.WithCancel(p.ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = claim(ctx) // told to stop: how it ends is not asked here
		}()
		waits := `wait_event_type = 'Lock'`
		claims := func(state string) func() bool {
			return func() bool {
				return p.scan(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND `+state+` AND query LIKE '%gen_random_uuid%' AND pid <> pg_backend_pid()`) > 0
			}
		}
		testkit.Eventually(t, "the claim waits for the lock", time.Minute, claims(waits))
		stop()
		require.NoError(t, lock.Rollback(p.ctx))
		<-done
		testkit.Eventually(t, "Postgres has carried out the claim", time.Minute, func() bool { return !claims(`state = 'active'`)() })
		require.Zero(t, p.scan(`SELECT count(*) FROM `+table+` WHERE lease_token IS NOT NULL`), "leases that nobody gave back in %s", table)
	}
}
