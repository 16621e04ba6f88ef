//go:build browser

// Package browser tests our pages in Chromium.
package browser

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/e2e/rig/chromium"
)

// A tenant and an operator use the page in every width and colour scheme.
func TestPageInBrowser(t *testing.T) {
	t.Parallel()
	r := rig.NewSite(t, 1000*time.Hour)
	r.Sim.AddServer(r.Acme, "typing-error", map[string]string{r.Settings.BackupMetadataKey: "yes please"})
	r.Protect(r.Acme, "new-"+r.Acme[:6], 1)
	r.Plan()
	addMonth(t, r)
	r.Retention()
	r.Reconcile()
	r.Dispatch()
	lead, err := db.Lead(r.Ctx, r.Environment.URL, "scheduler-1")
	require.NoError(t, err)
	t.Cleanup(lead.Resign)
	b := chromium.Start(t, "")
	tenant := chromium.Visitor{URL: r.URL, Volume: r.Volume, Limit: 10, As: "alice", User: "alice", Password: "alice-secret", Project: "acme", Absent: "globex"}
	operator := tenant
	operator.As, operator.User, operator.Password, operator.Project, operator.Absent = "root", "root", "root-secret", "admin", ""
	operator.Projects = []string{"full in"}
	b.Walk(tenant)
	b.Walk(operator)
}

// addMonth adds what a month before leaves: counted days, processes, one of which was killed, quotas, and failures.
func addMonth(t *testing.T, r *rig.Site) {
	t.Helper()
	for _, q := range []string{
		`
		INSERT INTO project_days (day, project_id, project_name, succeeded, failures, points, gib)
		SELECT d::date, p.id, p.name, 16, CASE WHEN extract(day FROM d)::int % 6 = 0 THEN '{"backup_error": 1, "quota_exceeded": 2}'::jsonb ELSE '{}' END,
			4 + i * 12 / 29, 4 + i * 12 / 29 + 2 * (i / 9 % 2)
		FROM (VALUES ($1::text, 'acme'), ($2::text, 'globex')) AS p (id, name), generate_series(staffeln_now() - interval '29 days', staffeln_now() - interval '1 day', interval '1 day') AS d,
			LATERAL (SELECT d::date - (staffeln_now() - interval '29 days')::date AS i) AS t ON CONFLICT DO NOTHING`,
		`UPDATE volumes SET usual_duration = CASE WHEN project_id = $1 THEN interval '25 minutes' ELSE interval '1 minute' END WHERE project_id IN ($1, $2)`,
	} {
		_, err := r.Pool.Exec(r.Ctx, q, r.Acme, r.Globex)
		require.NoError(t, err)
	}
	for _, p := range []db.Heartbeat{{Kind: db.WorkerProcess, Name: "worker-2:71"}, {Kind: db.SchedulerProcess, Name: "scheduler-1:17"}, {Kind: db.WorkerProcess, Name: "worker-1:42"}} {
		p.Version, p.StartedAt = "1.0.0", r.Clock.Now().Add(-90*time.Hour)
		require.NoError(t, r.DB.RecordHeartbeat(r.Ctx, p))
		if p.Name == "worker-2:71" {
			r.Step(5 * time.Minute)
		}
	}
	require.NoError(t, r.DB.RecordQuota(r.Ctx, r.Acme, backup.Quota{Limit: 100, InUse: 24}, backup.Quota{Limit: 300, InUse: 262}))
	require.NoError(t, r.DB.RecordQuota(r.Ctx, r.Globex, backup.Quota{Limit: -1, InUse: 21}, backup.Quota{Limit: 1000, InUse: 180}))
}
