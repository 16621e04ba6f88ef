package e2e

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/e2e/rig"
	"staffeln/tasks"
	"staffeln/view/report"
)

// callCounter counts the calls of reports to the cloud.
type callCounter struct {
	members, quotas atomic.Int64
	of              interface {
		Members(ctx context.Context, projectID string) ([]backup.Member, error)
		BackupQuota(ctx context.Context, projectID string) (backups, gigabytes backup.Quota, err error)
	}
}

func (c *callCounter) Members(ctx context.Context, projectID string) ([]backup.Member, error) {
	c.members.Add(1)
	return c.of.Members(ctx, projectID)
}

func (c *callCounter) BackupQuota(ctx context.Context, id string) (backups, gigabytes backup.Quota, err error) {
	c.quotas.Add(1)
	return c.of.BackupQuota(ctx, id)
}

// dueAtOnce is how many reports are due at once; for a measurement: make test PACKAGES=./internal/e2e FLAGS='-run ManyProjects
// -reports 5000 -v'.
var dueAtOnce = flag.Int("reports", 200, "how many reports are due at once")

// addDue adds the given number of projects, each with a member and three results to report, all due at once.
func addDue(t *testing.T, p *reportEnvironment) {
	t.Helper()
	for n := range *dueAtOnce {
		id := p.Sim.AddProject(fmt.Sprintf("project-%d", n))
		p.addMember(id, fmt.Sprintf("user-%d", n), fmt.Sprintf("user-%d@example.org", n))
	}
	seen, err := p.Cloud.Observe(p.Ctx)
	require.NoError(t, err)
	var ids, names []string
	for _, one := range seen.Projects {
		if one.Name != "admin" {
			ids, names = append(ids, one.ID), append(names, one.Name)
		}
	}
	p.Exec(`INSERT INTO volumes (id, name, project_id, project_name, server_id, server_name, availability_zone, status, size_gib, encrypted, protected, retention, retention_source, seen_at)
		SELECT 'v-' || id, 'data', id, name, 's-' || id, 'web-1', 'nova', 'in-use', 10, false, true, '17 days', 'default', staffeln_now()
		FROM unnest($1::text[], $2::text[]) AS p (id, name)`, ids, names)
	p.Exec(`INSERT INTO records (project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, size_gib, encrypted, state, kind, retention, planned_at,
			changed_at, created_at, requested_at, deadline, available_at, ended_at, data_timestamp, backup_id)
		SELECT project_id, project_name, server_id, server_name, id, name, availability_zone, size_gib, false, 'available', 'full', retention, at, at, at, at, at + interval '6 hours', at, at, at, 'b-' || id || n
		FROM volumes, generate_series(1, 3) AS n, LATERAL (SELECT staffeln_now() - n * interval '8 hours' AS at) AS t`)
}

// Thousands of reports are due at once: Keystone gets one request for the members of each project, Cinder one for each quota,
// and no backup is delayed.
func TestReport_ManyProjectsAtOnce(t *testing.T) {
	p := newReportEnvironment(t, toMembers)
	addDue(t, p)
	asked := &callCounter{of: p.Cloud}
	p.reporter.Directory = asked
	began := time.Now()
	require.NoError(t, p.Scheduler.Report(p.Ctx, p.BeginRun()))
	found := time.Since(began)
	peak := watchMemory(t)
	p.runReportsWithin(10 * time.Minute)
	t.Logf("%d reports: found due and dispatched in %s, made and sent in %s, %d MiB of heap at most; listings of members: %d, quotas: %d",
		*dueAtOnce, found.Round(time.Millisecond), time.Since(began).Round(time.Millisecond), peak()>>20, asked.members.Load(), asked.quotas.Load())
	require.Len(t, p.box.Inbox(), *dueAtOnce)
	require.EqualValues(t, *dueAtOnce, asked.members.Load())
	require.EqualValues(t, *dueAtOnce, asked.quotas.Load())
	require.Zero(t, p.queryInt(`SELECT count(*) FROM records WHERE report_id IS NULL`))
}

// The same as one report about all projects, for a list of receivers.
func TestReport_ManyProjectsInOne(t *testing.T) {
	p := newReportEnvironment(t, report.Reporting{SenderEmail: rig.Sender, Receiver: []string{"ops@ops.example"}})
	addDue(t, p)
	began := time.Now()
	peak := watchMemory(t)
	require.NoError(t, p.reporter.Handlers().Report(p.Ctx, tasks.Report{Group: report.All}))
	require.Len(t, p.box.Inbox(), 1)
	t.Logf("one report of %d projects: %s, %d MiB of heap at most, a mail of %d KiB", *dueAtOnce, time.Since(began).Round(time.Millisecond), peak()>>20, len(p.box.Inbox()[0].Raw)>>10)
}

// watchMemory measures the largest heap until the returned function is called.
func watchMemory(t *testing.T) (peak func() uint64) {
	t.Helper()
	var most atomic.Uint64
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			most.Store(max(most.Load(), now.HeapAlloc))
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	return func() uint64 { close(stop); <-ended; return most.Load() }
}
