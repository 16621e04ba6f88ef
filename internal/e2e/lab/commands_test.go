//go:build openstack

package lab

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
)

// Operator commands run as processes beside running schedulers and workers: backup-now, cancel, pause and resume,
// purge-project of a deleted project, and audit. The test's log contains what they print.
//
// It needs the same as TestLabOnOpenStack.
func TestOperatorCommandsOnOpenStack(t *testing.T) {
	s := newLabRun(t).newTest(t, "commands")
	acme, globex := s.tenant("acme"), s.tenant("globex")
	one := acme.boot("one", 1, map[string]string{s.key: "true"})
	two := acme.boot("two", 1, map[string]string{s.key: "true"})
	leaver := globex.boot("leaver", 1, map[string]string{s.key: "true"})
	p := s.start(map[string]string{"STAFFELN_BACKUP_MIN_INTERVAL": "1h", "STAFFELN_RETENTION_TIME": "1h"})
	p.until("each volume has its first backup", 2*time.Minute, func() bool {
		p.readBackups()
		return p.kinds(one.Volumes[0]) == "F" && p.kinds(two.Volumes[0]) == "F" && p.kinds(leaver.Volumes[0]) == "F"
	})
	p.doctor("while all is well").requireOK(p)

	p.backUpNow(one)
	p.cancel(two)
	p.pause(acme, one)
	p.purge(globex, leaver)
	p.until("the plans take its volume as gone", time.Minute, func() bool { return p.forgotten(leaver.Volumes[0]) })
	p.requireAudits("purge-project", "resume", "pause", "backup-now", "cancel", "backup-now", "backup-now")
	p.doctor("after all that").requireOK(p)

	one.setMetadata(s.key, "false")
	two.setMetadata(s.key, "false")
	p.requireAgreement()
	p.end()
	for _, line := range p.logged("error") {
		require.Contains(t, line, `"reason":"project_gone"`, "the operator must purge it, and nothing else")
	}
	t.Logf("the test took %s", time.Since(s.began).Round(time.Second))
}

// person is the name in the audit table.
const person = "ann@desk"

// by runs a command with the person's name.
func (p *labProgram) by(args ...string) string {
	p.t.Helper()
	return p.text(append(args, "--who", person)...)
}

// backUpNow requests a backup within the interval and waits for it.
func (p *labProgram) backUpNow(of *labServer) {
	p.t.Helper()
	require.Contains(p.t, p.by("backup-now", of.Volumes[0]),
		"Planned for volume "+of.Name+" ("+of.Volumes[0]+") of server "+of.Name+" ("+of.ID+") in project "+p.prefix+"-acme ("+of.client.project+"): an incremental backup.")
	p.until("the backup is made", time.Minute, func() bool { p.readBackups(); return p.kinds(of.Volumes[0]) == "FI" })
}

// cancel cancels a backup while Cinder creates it, and waits until it is gone from Cinder.
func (p *labProgram) cancel(of *labServer) {
	p.t.Helper()
	back := p.knob("backup_delay", "10")
	p.by("backup-now", of.Name)
	r := p.waitCreating(of)
	output := p.by("cancel", of.Name, "--yes")
	require.Contains(p.t, output, "Cinder has been making backup "+r.BackupName+" ("+r.BackupID+") of volume "+of.Name+" (")
	require.Contains(p.t, output, "Cancelled: the incremental backup of volume "+of.Name)
	back()
	require.Equal(p.t, "failed cancelled", p.records("id = $1 AND state = 'failed'", r.ID)[0].State+" "+p.records("id = $1", r.ID)[0].Reason)
	p.until("nothing of it is left", 2*time.Minute, func() bool {
		p.readBackups()
		return p.count("id = $1 AND state = 'deleted'", r.ID) == 1 && !p.seen[r.BackupID].gone.IsZero()
	})
	p.until("the volume can be backed up again", time.Minute, func() bool { return p.admin.volumeStatus(of.Volumes[0]) == "in-use" })
	require.Equal(p.t, "F", p.kinds(of.Volumes[0]))
}

// waitCreating waits until Cinder creates a backup of the server's volume, and returns its record.
func (p *labProgram) waitCreating(of *labServer) (r labRecord) {
	p.t.Helper()
	p.until("Cinder makes a backup", time.Minute, func() bool {
		p.readBackups()
		making := p.records("volume_id = $1 AND state = 'creating' AND backup_id IS NOT NULL", of.Volumes[0])
		if len(making) == 1 {
			r = making[0]
		}
		return len(making) == 1
	})
	return r
}

// pause pauses a project while a backup is in progress there: the backup ends normally, and no other begins.
func (p *labProgram) pause(tenant *labClient, of *labServer) {
	p.t.Helper()
	back := p.knob("backup_delay", "10")
	p.by("backup-now", of.Name)
	r := p.waitCreating(of)
	output := p.by("pause", "--project", tenant.project, "--why", "its store is full")
	require.Contains(p.t, output, "Paused: project "+p.prefix+"-acme ("+tenant.project+")")
	require.Contains(p.t, output, "by "+person+" (its store is full). Nothing new starts before `staffeln resume --project "+tenant.project+"`.")
	back()
	p.until("the backup that was being made is available", time.Minute, func() bool { p.readBackups(); return p.count("id = $1 AND state = 'available'", r.ID) == 1 })
	require.Contains(p.t, p.text("status"), "PAUSE: Paused: project "+p.prefix+"-acme")
	require.Contains(p.t, p.text("explain", of.Volumes[0]), "The operator, to resume: paused since ")
	refused, code := rig.Output(p.t, p.env, "backup-now", of.Name, "--who", person)
	p.t.Logf("$ staffeln backup-now %s\n%s", of.Name, refused)
	require.Equal(p.t, 1, code)
	require.Contains(p.t, strings.Join(strings.Fields(refused), " "), "The operator paused it: nothing new starts before `staffeln resume`. (paused)")
	require.True(p.t, p.doctor("during the pause").has("scheduler", "warning: pauses in force: 1"))
	require.Contains(p.t, p.by("resume", "--project", tenant.project), "Resumed: project "+p.prefix+"-acme")
}

// purge removes the backups of a deleted project, for which there is no token.
func (p *labProgram) purge(tenant *labClient, of *labServer) {
	p.t.Helper()
	tenant.leave()
	name := p.prefix + "-globex (" + tenant.project + ")"
	require.Contains(p.t, p.text("purge-project"), "Project "+name+" is deleted and left 1 backup, which Cinder charges as 1 GiB.")
	output := p.by("purge-project", "--project", tenant.project, "--all", "--yes")
	for _, words := range []string{"What project " + name + " left behind", "TO REMOVE (1)", "1 of 1 removed.", "Done."} {
		require.Contains(p.t, output, words)
	}
	p.readBackups()
	for _, r := range p.records("volume_id = $1", of.Volumes[0]) {
		require.Equal(p.t, "deleted", r.State)
		require.False(p.t, p.seen[r.BackupID].gone.IsZero(), "Cinder still has %s", r.BackupName)
	}
	require.Contains(p.t, p.text("purge-project"), "Nothing to purge: no deleted project left backups of ours.")
}

// forgotten reports whether enough plans have missed the volume for it to count as gone. Until then its project counts as one
// that Staffeln needs a token for.
func (p *labProgram) forgotten(volume string) (gone bool) {
	p.t.Helper()
	require.NoError(p.t, p.db.QueryRow(p.ctx(), "SELECT gone_at IS NOT NULL FROM volumes WHERE id = $1", volume).Scan(&gone))
	return gone
}

// requireAudits asserts which actions are in the audit log, newest first, each with its outcome.
func (p *labProgram) requireAudits(actions ...string) {
	p.t.Helper()
	var held struct {
		Lines []struct {
			Who, Action, Outcome string
		}
	}
	p.readJSON(&held, "audit")
	var done []string
	for _, line := range held.Lines {
		require.Equal(p.t, person, line.Who)
		require.NotEmpty(p.t, line.Outcome, line.Action)
		done = append(done, line.Action)
	}
	require.Equal(p.t, actions, done)
	p.requireDocumented("audit")
	require.Contains(p.t, p.text("audit"), "purge-project by "+person)
}
