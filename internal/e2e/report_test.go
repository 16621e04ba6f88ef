package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/tasks"
	"staffeln/view/report"
)

var toMembers = report.Reporting{SenderEmail: rig.Sender}

// Each member gets each result once, never earlier than a period after it is known, and never two mails within one period.
// Nobody gets results of another project.
func TestReport_EachResultOnceAndNeverEarlier(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembers)
	acme, globex := p.Sim.AddProject("acme"), p.Sim.AddProject("globex")
	p.Protect(acme, "web-1", 1)
	p.Protect(globex, "app-1", 1)
	p.addMember(acme, "alice", "alice@acme.example")
	p.addMember(globex, "bob", "bob@globex.example")
	began := p.Clock.Now()
	var at []time.Time // times of alice's mails
	for len(at) < 3 {
		p.advanceAll(30 * time.Minute)
		if n := len(p.box.To("alice@acme.example")); n > len(at) {
			require.Equal(t, len(at)+1, n)
			at = append(at, p.Clock.Now().Add(-30*time.Minute))
		}
	}
	require.Equal(t, []time.Time{began.Add(6 * time.Hour), began.Add(12 * time.Hour), began.Add(18 * time.Hour)}, at)
	require.Empty(t, p.made("elsewhere"))
	unreported := 0
	for _, id := range p.made(acme) {
		n := p.mentions("alice@acme.example", id)
		require.LessOrEqual(t, n, 1, "backup %s is reported %d times", id, n)
		if n == 0 {
			unreported++
		}
		require.Zero(t, p.mentions("bob@globex.example", id))
	}
	require.LessOrEqual(t, unreported, 1, "but what ended since the last report")
	require.Len(t, p.box.To("bob@globex.example"), 3)
	require.Len(t, p.box.Inbox(), 6)
	p.requireInvariants()
}

func TestReport_ReceiversOfAProject(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembers)
	acme, empty := p.Sim.AddProject("acme"), p.Sim.AddProject("initech")
	p.Protect(acme, "web-1", 1)
	p.Protect(empty, "app-1", 1)
	alice := p.addMember(acme, "alice", "alice@acme.example")
	p.Sim.Grant(alice, acme, "reader")                    // a member with two roles gets one mail
	p.addMember(acme, "also alice", "Alice@acme.example") // two users with one address get one mail
	p.Sim.EnableUser(p.addMember(acme, "dan", "dan@acme.example"), false)
	p.addMember(acme, "mute", "")
	p.addMember(acme, "evil", "evil@acme.example, mallory@evil.example")
	p.addMember(acme, "worse", "worse@acme.example\r\nBcc: mallory@evil.example")
	p.Sim.GrantGroup(p.Sim.AddGroup("staff", p.Sim.AddUser("carol", "c", "carol@acme.example")), acme, "reader")
	p.Sim.GrantInherited(p.Sim.AddUser("auditor", "a", "audit@ops.example"), "default", "reader")
	p.advanceAll(7 * time.Hour)
	to := map[string]int{}
	for _, m := range p.box.Inbox() {
		to[strings.ToLower(m.To)]++
		require.Empty(t, m.Header.Get("Bcc"))
		require.True(t, m.Secure)
	}
	require.Equal(t, map[string]int{"alice@acme.example": 1, "carol@acme.example": 1, "audit@ops.example": 2}, to, "audit is a member of both projects")
	p.requireInvariants()
}

// If no receiver is found, the report is tried again after a period, and no result is lost.
func TestReport_NobodyFoundIsTriedAgain(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembers)
	initech := p.Sim.AddProject("initech")
	p.Protect(initech, "app-1", 1)
	p.advanceAll(9 * time.Hour)
	require.Empty(t, p.box.Inbox())
	require.Equal(t, 1, p.logged("warn", string(backup.NoReceiver), initech, "no receiver found"))
	p.addMember(initech, "ivan", "ivan@initech.example")
	made := p.made(initech)
	p.advanceAll(6 * time.Hour)
	for _, id := range made {
		require.Equal(t, 1, p.mentions("ivan@initech.example", id))
	}
	p.requireInvariants()
}

func TestReport_ListOfReceiversGetsOneOfAllProjects(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, report.Reporting{SenderEmail: rig.Sender, Receiver: []string{"ops@ops.example", "boss@ops.example"}})
	acme, globex := p.Sim.AddProject("acme"), p.Sim.AddProject("globex")
	p.Protect(acme, "web-1", 1)
	p.Protect(globex, "app-1", 1)
	p.addMember(acme, "alice", "alice@acme.example")
	p.advanceAll(7 * time.Hour)
	require.Len(t, p.box.Inbox(), 2, "one mail for each receiver")
	for _, m := range p.box.Inbox() {
		require.NotContains(t, m.Header.Get("To"), ",")
		require.Contains(t, rig.MailText(m), "Project acme")
		require.Contains(t, rig.MailText(m), "Project globex")
	}
	require.NotEqual(t, p.box.Inbox()[0].Header.Get("Message-Id"), p.box.Inbox()[1].Header.Get("Message-Id"))
	p.requireInvariants()
}

func TestReport_ProjectsNameAtADomain(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, report.Reporting{SenderEmail: rig.Sender, ProjectReceiverDomain: "tenants.example"})
	p.Protect(p.Sim.AddProject("acme"), "web-1", 1)
	evil := p.Sim.AddProject("mallory@evil.example, x")
	p.Protect(evil, "app-1", 1)
	p.advanceAll(7 * time.Hour)
	require.Len(t, p.box.Inbox(), 1)
	require.Equal(t, "acme@tenants.example", p.box.Inbox()[0].To)
	require.NotZero(t, p.logged("warn", string(backup.NoReceiver), evil, "can't be part of an address"))
	p.requireInvariants()
}

// Without a sender, one report about all projects is a log line, and counts as delivered.
func TestReport_ToTheLog(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, report.Reporting{})
	acme := p.Sim.AddProject("acme")
	p.Protect(acme, "web-1", 1)
	p.Protect(p.Sim.AddProject("globex"), "app-1", 1)
	p.advanceAll(7 * time.Hour)
	require.Equal(t, 1, p.logged("info", `"message":"report"`, `"group":"all"`, `"succeeded":12`, "All is well"))
	p.advanceAll(3 * time.Hour)
	require.Equal(t, 1, p.logged("info", `"message":"report"`))
	p.configure(report.Reporting{SenderEmail: rig.Sender, Receiver: []string{"ops@ops.example"}})
	p.advanceAll(4 * time.Hour)
	require.Len(t, p.box.Inbox(), 1)
	require.Equal(t, 12, p.Count("report_id = (SELECT id FROM reports ORDER BY created_at LIMIT 1)"), "what the log had is not mailed again")
	p.requireInvariants()
}

// Late volumes alone are a reason for a report.
func TestReport_OnlyLateVolumes(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembers)
	acme := p.Sim.AddProject("acme")
	_, volumes := p.Protect(acme, "web-1", 1)
	p.addMember(acme, "alice", "alice@acme.example")
	p.advanceAll(7 * time.Hour)
	require.Len(t, p.box.Inbox(), 1)
	p.Sim.SetVolumeStatus(volumes[0], "in-use")
	p.Exec(`INSERT INTO pauses VALUES ('', staffeln_now(), 'me', 'maintenance')`)
	p.advanceAll(20 * time.Hour)
	last := p.box.Inbox()[len(p.box.Inbox())-1]
	require.Contains(t, last.Header.Get("Subject"), "1 volume is late")
	require.Contains(t, rig.MailText(last), "Late since")
	p.requireInvariants()
}

// So is a volume without any backup, once it is late.
func TestReport_OnlyAVolumeThatWasNeverBackedUp(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembers)
	acme := p.Sim.AddProject("acme")
	p.Exec(`INSERT INTO pauses VALUES ('', staffeln_now(), 'me', 'maintenance')`)
	began := p.Clock.Now()
	_, volumes := p.Protect(acme, "web-1", 1)
	p.addMember(acme, "alice", "alice@acme.example")
	for len(p.box.Inbox()) == 0 {
		require.Less(t, p.Clock.Now().Sub(began), 24*time.Hour)
		p.advanceAll(30 * time.Minute)
	}
	require.Equal(t, p.Settings.RPO().Of(0)+p.Settings.ReportPeriod.Std(), p.Clock.Now().Sub(began)-30*time.Minute)
	mail := p.box.Inbox()[0]
	require.Contains(t, mail.Header.Get("Subject"), "1 volume has no restore point")
	require.Contains(t, rig.MailText(mail), "Never backed up (1)")
	require.Contains(t, rig.MailText(mail), volumes[0])
	p.requireInvariants()
}

// A rejected receiver does not affect the others. It is logged in one error line, and tried again.
func TestReport_OneReceiverFailsAndDelaysNobody(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembers)
	acme, globex := p.Sim.AddProject("acme"), p.Sim.AddProject("globex")
	p.Protect(acme, "web-1", 1)
	p.Protect(globex, "app-1", 1)
	p.addMember(acme, "alice", "alice@acme.example")
	p.addMember(acme, "gone", "gone@acme.example")
	p.addMember(globex, "bob", "bob@globex.example")
	p.box.Refuse("gone@acme.example", true)
	p.advanceAll(6*time.Hour + 30*time.Minute)
	require.Len(t, p.box.To("alice@acme.example"), 1)
	require.Len(t, p.box.To("bob@globex.example"), 1)
	require.Equal(t, 1, p.logged("warn", "report not sent", acme, "gone@acme.example", "550", "no such user here"))
	p.advanceAll(6 * time.Hour)
	require.Len(t, p.box.To("alice@acme.example"), 2, "the next report does not wait for it")
	p.box.Refuse("gone@acme.example", false)
	p.advanceAll(12 * time.Hour)
	late := p.box.To("gone@acme.example")
	require.GreaterOrEqual(t, len(late), 2)
	ids := map[string]bool{}
	for _, m := range late {
		require.False(t, ids[m.Header.Get("Message-Id")], "once each")
		ids[m.Header.Get("Message-Id")] = true
	}
	require.Equal(t, 0, p.queryInt(`SELECT count(*) FROM report_mails WHERE sent_at IS NULL`))
	p.requireInvariants()
}

// The mail server accepts the mail and its response is lost: the mail arrives twice, with the same Message-ID, but never not at
// all.
func TestReport_ResponseLostAfterTheMail(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembers)
	acme := p.Sim.AddProject("acme")
	p.Protect(acme, "web-1", 1)
	p.addMember(acme, "alice", "alice@acme.example")
	p.box.DieAfterData(1)
	p.advanceAll(8 * time.Hour)
	require.Len(t, p.box.Inbox(), 2)
	require.Equal(t, p.box.Inbox()[0].Header.Get("Message-Id"), p.box.Inbox()[1].Header.Get("Message-Id"))
	require.Equal(t, rig.MailText(p.box.Inbox()[0]), rig.MailText(p.box.Inbox()[1]))
	p.requireInvariants()
}

// The worker is killed after the mail and before the record: the same happens.
func TestReport_CrashBetweenMailAndRecord(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembers)
	acme := p.Sim.AddProject("acme")
	p.Protect(acme, "web-1", 1)
	p.addMember(acme, "alice", "alice@acme.example")
	p.Advance(6*time.Hour+30*time.Minute, 30*time.Minute)
	p.Exec(`CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''the database is away''; END'`)
	p.Exec(`CREATE TRIGGER die BEFORE UPDATE ON report_mails FOR EACH ROW EXECUTE FUNCTION die()`)
	require.ErrorContains(t, p.reporter.Handlers().Report(p.Ctx, tasks.Report{Group: acme}), "the database is away")
	require.Len(t, p.box.Inbox(), 1)
	p.Exec(`DROP TRIGGER die ON report_mails`)
	p.Exec(`UPDATE report_groups SET lease_token = 'of the dead', lease_until = staffeln_now() + interval '2 minutes'`)
	p.runReports()
	require.Len(t, p.box.Inbox(), 1, "its lease holds")
	p.Step(5 * time.Minute)
	p.runReports()
	require.Len(t, p.box.Inbox(), 2)
	require.Equal(t, p.box.Inbox()[0].Header.Get("Message-Id"), p.box.Inbox()[1].Header.Get("Message-Id"))
	p.Step(5 * time.Minute)
	p.runReports()
	require.Len(t, p.box.Inbox(), 2)
	require.Equal(t, 1, p.queryInt(`SELECT count(*) FROM reports`))
	p.requireInvariants()
}

// If the mail server is down for some time, reports are delayed and none is lost, even if Redis loses its data meanwhile.
func TestReport_MailServerAway(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembers)
	acme := p.Sim.AddProject("acme")
	p.Protect(acme, "web-1", 1)
	p.addMember(acme, "alice", "alice@acme.example")
	p.box.Down(true)
	p.advanceAll(10 * time.Hour)
	require.Equal(t, 1, p.queryInt(`SELECT count(*) FROM reports`), "no second one before anybody has the first")
	require.NoError(t, p.Redis.FlushDB(p.Ctx).Err())
	p.box.Down(false)
	made := p.made(acme)
	p.advanceAll(14 * time.Hour)
	for _, id := range made {
		require.Equal(t, 1, p.mentions("alice@acme.example", id))
	}
	p.requireInvariants()
}

// Results that could not be delivered for a week are in the next report.
func TestReport_UndeliveredResultsAreInTheNextReport(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembers)
	acme := p.Sim.AddProject("acme")
	p.Protect(acme, "web-1", 1)
	p.addMember(acme, "alice", "alice@acme.example")
	p.advanceAll(2 * time.Hour)
	p.box.Down(true)
	made := p.made(acme)
	for range 5 {
		p.Step(4 * time.Hour)
		p.runReports()
	}
	p.Step(7 * 24 * time.Hour)
	p.runReports()
	require.Equal(t, 1, p.logged("error", "report given up", "alice@acme.example"))
	p.box.Down(false)
	p.runReports()
	for _, id := range made {
		require.Equal(t, 1, p.mentions("alice@acme.example", id))
	}
}

// If Keystone does not respond, the report is tried again, not dropped.
func TestReport_KeystoneAway(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembers)
	acme := p.Sim.AddProject("acme")
	p.Protect(acme, "web-1", 1)
	p.addMember(acme, "alice", "alice@acme.example")
	p.Advance(6*time.Hour+30*time.Minute, 30*time.Minute)
	fault := p.Sim.AddFault(cloudsim.Fault{Route: "GET /identity/v3/role_assignments", Do: cloudsim.Refuse{Status: http.StatusServiceUnavailable}})
	p.runReports()
	require.Empty(t, p.box.Inbox())
	require.Equal(t, 1, p.logged("warn", "report not built", acme, "find receivers"))
	fault()
	p.Step(10 * time.Minute)
	p.runReports()
	require.Len(t, p.box.Inbox(), 1)
	p.requireInvariants()
}

// If Keystone's list of users is incomplete, the report waits until all members are known: nobody is left out.
func TestReport_WaitsForAllMembers(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembers)
	acme := p.Sim.AddProject("acme")
	p.Protect(acme, "web-1", 1)
	p.addMember(acme, "alice", "alice@acme.example")
	p.addMember(acme, "amy", "amy@acme.example")
	p.Advance(6*time.Hour+30*time.Minute, 30*time.Minute)
	p.Sim.LimitLists(2)
	p.runReports()
	require.Empty(t, p.box.Inbox())
	require.Equal(t, 1, p.logged("error", "report not built", acme, "only a part of the list"))
	p.Sim.LimitLists(0)
	p.Step(10 * time.Minute)
	p.runReports()
	require.Len(t, p.box.To("alice@acme.example"), 1)
	require.Len(t, p.box.To("amy@acme.example"), 1)
	p.requireInvariants()
}

// queryInt reads one number.
func (p *reportEnvironment) queryInt(q string) (n int) {
	p.T.Helper()
	require.NoError(p.T, p.Pool.QueryRow(p.Ctx, q).Scan(&n))
	return n
}
