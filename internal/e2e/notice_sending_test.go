package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/tasks"
)

// Notices about a thousand volumes are one mail, which lists some and counts all.
func TestNotice_ManyVolumesAreOneMail(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembersAndOperator)
	acme := p.Sim.AddProject("acme")
	p.addMember(acme, "alice", "alice@acme.example")
	p.Exec(`INSERT INTO volumes (id, name, project_id, project_name, server_id, server_name, availability_zone, status, size_gib, encrypted, protected, retention, retention_source, seen_at)
		SELECT 'v-' || n, 'data', $1, 'acme', 's', 'web-1', 'nova', 'in-use', 10, false, false, '17 days', 'default', staffeln_now() FROM generate_series(1, 1000) AS n`, acme)
	p.Exec(`INSERT INTO records (project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, size_gib, encrypted, state, kind, retention, planned_at,
			changed_at, created_at, requested_at, deadline, available_at, ended_at, data_timestamp, backup_id, report_id)
		SELECT project_id, project_name, server_id, server_name, id, name, availability_zone, size_gib, false, 'available', 'full', retention, at, at, at, at, at + interval '6 hours', at, at, at, 'b-' || id, 'sent'
		FROM volumes, LATERAL (SELECT staffeln_now() - interval '8 hours' AS at) AS t`)
	var volumes []string
	for n := range 1000 {
		volumes = append(volumes, fmt.Sprintf("v-%d", n+1))
	}
	p.endProtection(acme, "s", "server_deleted", volumes...)
	p.notify()
	p.runReports()
	require.Len(t, p.box.Inbox(), 2)
	for _, to := range []string{"alice@acme.example", "ops@ops.example"} {
		mails := p.mailsAbout(to, "Backups of acme: protection of 1000 volumes ended")
		require.Len(t, mails, 1)
		require.Contains(t, rig.MailText(mails[0]), "and 950 more volumes")
		require.Less(t, len(mails[0].Body), 200_000)
	}
}

func (p *reportEnvironment) notify() {
	p.T.Helper()
	_, err := p.BeginRun().Notify(p.Ctx, p.Settings.ReportPeriod.Std())
	require.NoError(p.T, err)
}

// If the project has no receiver, the operator gets the notice.
func TestNotice_WithoutProjectReceiverGoesToTheOperator(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembersAndOperator)
	initech := p.Sim.AddProject("initech")
	server, volumes := p.Protect(initech, "web-1", 1)
	p.advanceAll(2 * time.Hour)
	p.endProtection(initech, server, "metadata", volumes...)
	p.notify()
	p.runReports()
	require.Len(t, p.mailsAbout("ops@ops.example", "Backups of initech: protection of 1 volume ended"), 1)
	require.Equal(t, 1, p.logged("warn", string(backup.NoReceiver), initech))
}

// The worker is killed after the mail and before the record: the mail arrives twice, with the same Message-ID.
func TestNotice_CrashBetweenMailAndRecord(t *testing.T) {
	t.Parallel()
	p, acme, server, volume := afterReport(t, toMembersAndOperator)
	p.endProtection(acme, server, "metadata", volume)
	p.notify()
	p.Exec(`CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''the database is away''; END'`)
	p.Exec(`CREATE TRIGGER die BEFORE UPDATE ON report_mails FOR EACH ROW EXECUTE FUNCTION die()`)
	require.ErrorContains(t, p.reporter.Handlers().Report(p.Ctx, tasks.Report{Group: acme}), "the database is away")
	require.Len(t, p.mailsAbout("alice@acme.example", "protection of 1 volume ended"), 1)
	p.Exec(`DROP TRIGGER die ON report_mails`)
	p.Exec(`UPDATE report_groups SET lease_token = 'of the dead', lease_until = staffeln_now() + interval '2 minutes'`)
	for range 4 {
		p.Step(5 * time.Minute)
		p.runReports()
	}
	mails := p.mailsAbout("alice@acme.example", "protection of 1 volume ended")
	require.Len(t, mails, 2)
	require.Equal(t, mails[0].Header.Get("Message-Id"), mails[1].Header.Get("Message-Id"))
	require.Equal(t, rig.MailText(mails[0]), rig.MailText(mails[1]))
	require.Len(t, p.mailsAbout("ops@ops.example", "protection of 1 volume ended"), 1)
}

// If Keystone is down, the project's mail is delayed by at most half an hour, and the operator's not at all.
func TestNotice_KeystoneAwayDoesNotDelayTheOperator(t *testing.T) {
	t.Parallel()
	p, acme, server, volume := afterReport(t, toMembersAndOperator)
	fault := p.Sim.AddFault(cloudsim.Fault{Route: "GET /identity/v3/role_assignments", Do: cloudsim.Refuse{Status: http.StatusServiceUnavailable}})
	p.Exec(`INSERT INTO report_groups (id, failures) VALUES ($1, 20) ON CONFLICT (id) DO UPDATE SET failures = 20`, acme)
	p.endProtection(acme, server, "detached", volume)
	p.notify()
	p.Step(10 * time.Minute) // so that the cached listing is too old
	p.runReports()
	require.Len(t, p.mailsAbout("ops@ops.example", "protection of 1 volume ended"), 1)
	require.Empty(t, p.mailsAbout("alice@acme.example", "protection of 1 volume ended"))
	fault()
	p.Step(noticePause)
	p.runReports()
	require.Len(t, p.mailsAbout("alice@acme.example", "protection of 1 volume ended"), 1)
	p.requireInvariants()
}

// Failing reports, however long, delay a notice by at most half an hour, including a notice that is created later.
func TestNotice_IsNotDelayedByReportsThatFail(t *testing.T) {
	t.Parallel()
	p, acme, server, volume := afterReport(t, toMembersAndOperator)
	fault := p.Sim.AddFault(cloudsim.Fault{Route: "GET /identity/v3/role_assignments", Do: cloudsim.Refuse{Status: http.StatusServiceUnavailable}})
	p.Exec(`UPDATE report_groups SET failures = 20, delivered_at = NULL WHERE id = $1`, acme)
	p.advanceAll(7 * time.Hour)
	require.NotZero(t, p.queryInt(`SELECT count(*) FROM report_groups WHERE id = '`+acme+`' AND failures > 20 AND next_try_at > staffeln_now() + interval '1 hour'`))
	fault()
	p.endProtection(acme, server, "detached", volume)
	p.notify()
	p.Step(noticePause)
	p.runReports()
	require.Len(t, p.mailsAbout("alice@acme.example", "protection of 1 volume ended"), 1)
	p.requireInvariants()
}

const noticePause = 30 * time.Minute
