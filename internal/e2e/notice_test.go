package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit/mailbox"
	"staffeln/view/report"
)

var toMembersAndOperator = report.Reporting{SenderEmail: rig.Sender, OperatorReceiver: []string{"ops@ops.example"}}

// afterReport returns an environment with a project of one member and one volume with twelve backups, right after its report.
func afterReport(t *testing.T, reporting report.Reporting) (p *reportEnvironment, acme, server, volume string) {
	t.Helper()
	p = newReportEnvironment(t, reporting)
	p.Settings.RetentionShortenDelay, p.Settings.RetentionMin = backup.Duration(7*24*time.Hour), backup.Period{}
	p.Scheduler.Settings, p.reporter.Settings = p.Settings, p.Settings
	acme = p.Sim.AddProject("acme")
	server, volumes := p.Protect(acme, "web-1", 1)
	p.addMember(acme, "alice", "alice@acme.example")
	p.advanceAll(12*time.Hour + 30*time.Minute)
	return p, acme, server, volumes[0]
}

// mailsAbout returns a receiver's mails whose subject contains these words.
func (p *reportEnvironment) mailsAbout(receiver, subject string) (mails []mailbox.Mail) {
	for _, m := range p.box.To(receiver) {
		if strings.Contains(m.Header.Get("Subject"), subject) {
			mails = append(mails, m)
		}
	}
	return mails
}

// endProtection writes that the protection of volumes has ended in a project, without a plan.
func (p *reportEnvironment) endProtection(project, server, reason string, volumes ...string) {
	p.T.Helper()
	p.Exec(`INSERT INTO protection_ends (volume_id, project_id, ended_at, reason, server_id, server_name) SELECT v, $2, staffeln_now(), $4, $3, 'web-1' FROM unnest($1::text[]) AS v ON CONFLICT DO NOTHING`,
		volumes, project, server, reason)
}

// Case C3: a shortened retention is mailed at once, long before anything is removed.
func TestNotice_ShortenedRetentionIsMailedAtOnce(t *testing.T) {
	t.Parallel()
	p, acme, server, volume := afterReport(t, toMembersAndOperator)
	reports := len(p.box.To("alice@acme.example"))
	require.Len(t, p.box.Inbox(), reports)
	p.Sim.SetMetadata(server, p.Settings.RetentionMetadataKey, "1s")
	p.advanceAll(90 * time.Minute)
	for _, to := range []string{"alice@acme.example", "ops@ops.example"} {
		mails := p.mailsAbout(to, "Backups of acme: retention of 1 volume was shortened")
		require.Len(t, mails, 1, to)
		for _, word := range []string{volume, server, acme, "web-1", "Retention 1s instead of 2w3d", p.Settings.RetentionMetadataKey, "back before that time"} {
			require.Contains(t, unwrapped(mails[0]), word)
		}
		require.Regexp(t, `\d+ restore points? (is|are) removed from 2\d{3}-\d\d-\d\d \d\d:\d\d on`, mails[0].Header.Get("Subject"))
	}
	require.Empty(t, p.events(cloudsim.BackupDeletion, volume))
	p.advanceAll(24 * time.Hour)
	require.Len(t, p.mailsAbout("alice@acme.example", "was shortened"), 1, "once")
	require.Len(t, p.mailsAbout("ops@ops.example", "was shortened"), 1, "once")
	for _, m := range p.mailsAbout("alice@acme.example", "")[reports+1:] {
		require.NotContains(t, rig.MailText(m), "All is well", "the finding exists")
	}
	require.Empty(t, p.events(cloudsim.BackupDeletion, volume))
	p.requireInvariants()
}

// unwrapped returns the text of a mail as one line.
func unwrapped(m mailbox.Mail) string { return strings.Join(strings.Fields(rig.MailText(m)), " ") }

// The report names the removals by a shortened retention, and does not report that all is well.
func TestReport_RemovalsByAShorterRetentionAreNotWell(t *testing.T) {
	t.Parallel()
	p, _, server, volume := afterReport(t, toMembersAndOperator)
	p.Settings.RetentionShortenDelay = backup.Duration(3 * time.Hour)
	p.Scheduler.Settings, p.reporter.Settings = p.Settings, p.Settings
	p.Sim.SetMetadata(server, p.Settings.RetentionMetadataKey, "2h")
	p.Advance(8*time.Hour, 5*time.Minute)
	p.runReports()
	require.NotEmpty(t, p.events(cloudsim.BackupDeletion, volume))
	last := p.mailsAbout("alice@acme.example", "Backups of acme: ")
	text := unwrapped(last[len(last)-1])
	require.Contains(t, text, "Not all is well")
	require.Contains(t, text, "before their promised end")
	require.Contains(t, text, "Its retention is over. (expired)")
	p.requireInvariants()
}

// Without a sender the notice is one log line, and no report is created for it.
func TestNotice_ToTheLog(t *testing.T) {
	t.Parallel()
	p, acme, server, volume := afterReport(t, report.Reporting{})
	p.Sim.SetMetadata(server, p.Settings.RetentionMetadataKey, "1d")
	p.advanceAll(90 * time.Minute)
	require.Equal(t, 1, p.logged("warn", `"message":"notice"`, `"reason":"retention_shortened"`, acme, volume))
	p.configure(toMembersAndOperator)
	p.advanceAll(time.Hour)
	require.Empty(t, p.mailsAbout("alice@acme.example", "was shortened"), "a notice in the log is not mailed again")
}

// Without an operator address the project gets its mail, and the log contains what the operator would get.
func TestNotice_WithoutOperatorIsInTheLogToo(t *testing.T) {
	t.Parallel()
	p, acme, server, volume := afterReport(t, toMembers)
	p.Sim.SetMetadata(server, p.Settings.RetentionMetadataKey, "1d")
	p.advanceAll(90 * time.Minute)
	require.Len(t, p.mailsAbout("alice@acme.example", "was shortened"), 1)
	require.Equal(t, 1, p.logged("warn", `"message":"notice"`, `"reason":"retention_shortened"`, acme, volume))
	p.requireInvariants()
}

// If all reports go to one list of receivers, so do the notices, and the project gets its own too.
func TestNotice_ReceiverGetsItBesideTheProject(t *testing.T) {
	t.Parallel()
	p, _, server, _ := afterReport(t, report.Reporting{SenderEmail: rig.Sender, Receiver: []string{"boss@ops.example"}, OperatorReceiver: []string{"ops@ops.example"}})
	p.Sim.SetMetadata(server, p.Settings.RetentionMetadataKey, "1d")
	p.advanceAll(90 * time.Minute)
	require.Len(t, p.mailsAbout("boss@ops.example", "was shortened"), 1)
	require.Len(t, p.box.To("alice@acme.example"), 1, "no report, only the notice")
	require.Empty(t, p.box.To("ops@ops.example"), "RECEIVER is the operator")
	p.requireInvariants()
}

// Case C1: the former owner of a transferred volume is informed, without any data of the new owner.
func TestNotice_TransferredVolumeIsReportedToItsOldOwner(t *testing.T) {
	t.Parallel()
	p, _, server, volume := afterReport(t, toMembersAndOperator)
	globex := p.Sim.AddProject("globex")
	p.addMember(globex, "mallory", "mallory@globex.example")
	p.Sim.Detach(server, volume)
	p.Sim.TransferVolume(volume, globex)
	p.Sim.Attach(p.Sim.AddServer(globex, "evil-server", map[string]string{p.Settings.BackupMetadataKey: "true", p.Settings.RetentionMetadataKey: "1s"}), volume)
	p.advanceAll(time.Hour)
	mails := p.mailsAbout("alice@acme.example", "Backups of acme: protection of 1 volume ended")
	require.Len(t, mails, 1)
	text := unwrapped(mails[0])
	for _, word := range []string{"The volume was transferred to another project.", "on web-1", server, "13 restore points are left", "restore what is needed into a new volume"} {
		require.Contains(t, text, word)
	}
	require.NotContains(t, mails[0].Body, "globex")
	require.NotContains(t, mails[0].Body, globex)
	require.NotContains(t, mails[0].Body, "evil")
	require.Empty(t, p.mailsAbout("mallory@globex.example", "protection"))
	require.Len(t, p.mailsAbout("ops@ops.example", "Backups of acme: protection of 1 volume ended"), 1)
}
