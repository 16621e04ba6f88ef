package crash

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// The routes of requests about backups.
const (
	askRoute     = "POST /volume/v3/{project}/backups"
	backupsRoute = "GET /volume/v3/{project}/backups/detail"
	showRoute    = "GET /volume/v3/{project}/backups/{backup}"
)

// buildCrashScenario prepares work of every kind, due at once.
func buildCrashScenario(t *testing.T) *crashScenario {
	t.Helper()
	s := newCrashScenario(t)
	s.add("p1", "", "incremental", "grown", "restored", "lost", "back", "reborn", "plain", "marred", "foundling")
	s.add("p2", "2d", "chain", "confirm", "refuse", "hangs", "rehangs", "between", "aging", "encrypted", "unasked", "slipped", "kept")
	s.add("p3", "2d", "takeback", "unread")
	s.add("p3", "", "leftover", "byothers", "risen", "wedged", "twin")
	s.add("p4", "", "adopt", "dropped", "throttled", "noparent", "refused", "mute", "moved", "swallowed")
	s.add("p5", "", "good", "error", "vanished", "stuck", "unseen", "forced", "jammed")
	s.add("p6", "", "unlisted", "deadvolume", "volumegone", "withdrawn", "skewed", "strayed", "volumeerror", "secretless")
	s.add("p7", "", "hidden", "shelved", "unwanted", "wiped", "wiped too")
	s.add("p8", "", "unshelved", "resized", "soft", "cell", "toggled")
	s.add("purged", "2d", "purged")
	s.add("shut", "", "shut")
	s.add("goneasked", "", "goneasked")
	s.toggle("unwanted", "false")
	s.add("quota", "", "quota")
	s.add("gone", "", "gone", "gonelost")
	s.add("closed", "2d", "closed")
	s.add("paused", "", "paused")
	for _, project := range []string{"p1", "p2", "p3", "p4", "p5", "p6", "p7", "quota"} {
		s.addMember(project, project+"@tenants.example")
	}
	s.addMember("p4", unknownReceiver)
	for day := range 7 {
		s.Plan()
		s.round()
		s.round()
		if day == 2 {
			s.addTenantBackup("kept") // the newest of a chain
		}
		s.Step(24*time.Hour - 8*crashStep)
	}
	require.Zero(t, s.Count("state NOT IN ('available')"), "seven days without a failure")
	s.startRemovals()
	s.startCreations()
	s.changeTenants()
	s.situations()
	s.addMails()
	require.NoError(t, s.DB.ConfirmLost(s.Ctx))
	s.closeForCopies()
	return s
}

// startRemovals leaves removals in every state: in progress, failed, refused and without a response.
func (s *crashScenario) startRemovals() {
	s.Retention()
	s.runRetention("confirm")
	s.requireRecord("confirm", backup.Deleting)
	s.addFault(rig.DeleteRoute, "hangs", 3, cloudsim.FailLater{Reason: "no space left on device", Status: "error_deleting"})
	s.runRetention("hangs")
	s.addFault(rig.DeleteRoute, "takeback", 40, cloudsim.DropBefore{})
	s.runRetention("takeback")
	s.requireRecord("takeback", backup.Deleting)
	s.addFault(rig.DeleteRoute, "purged", 1, cloudsim.DropBefore{})
	s.runRetention("purged")
	s.requireRecord("purged", backup.Deleting)
	for _, name := range []string{"rehangs", "between"} {
		s.addFault(rig.DeleteRoute, name, 40, cloudsim.FailLater{Reason: "no space left on device", Status: "error_deleting"})
		s.runRetention(name)
	}
	s.recording.change(func(sim *cloudsim.Cloud) {
		sim.SetMetadata(s.servers["takeback"], s.Settings.RetentionMetadataKey, "60d")
	})
	s.hold("chain", "confirm", "refuse", "hangs", "rehangs", "between", "aging", "encrypted", "unasked", "takeback", "unread", "closed", "purged", "slipped", "kept") // their removals are not executed
	s.addFault(rig.DeleteRoute, "unasked", 1, cloudsim.Refuse{Status: 503})
	s.addFault(rig.DeleteRoute, "refuse", 40, errorResponse(400, "Invalid backup: Backup status must be available or error"))
	s.addFault(rig.DeleteRoute, "aging", 40, errorResponse(400, "Invalid backup: Backup status must be available or error"))
	s.addFault(backupsRoute, "unread", 2, cloudsim.Refuse{Status: 503})
	lost, restored := s.newest("lost"), s.newest("restored")
	s.recording.change(func(sim *cloudsim.Cloud) {
		sim.RemoveBackup(lost)
		sim.SetBackupStatus(restored, "restoring")
	})
	s.Exec(`UPDATE records SET state = 'lost', reason = 'removed_by_others' WHERE backup_id = $1`, s.newest("back"))
}

// startCreations leaves backups in every state of their creation.
func (s *crashScenario) startCreations() {
	s.Step(time.Hour)
	s.addFault(askRoute, "adopt", 1, cloudsim.DropAfterEffect{})
	for _, name := range []string{"dropped", "moved", "swallowed", "shut"} {
		s.addFault(askRoute, name, 1, cloudsim.DropBefore{})
	}
	s.addFault(askRoute, "gonelost", 1, cloudsim.DropAfterEffect{})
	for _, name := range []string{"leftover", "byothers", "risen", "wedged", "error"} {
		s.addFault(askRoute, name, 1, cloudsim.FailLater{Reason: "no space left on device"})
	}
	for _, name := range []string{"stuck", "deadvolume", "unseen", "forced", "jammed"} {
		s.addFault(askRoute, name, 1, cloudsim.Stick{})
	}
	unconfirmed := []string{"adopt", "dropped", "gonelost", "moved", "swallowed", "shut"}
	s.addFault(askRoute, "goneasked", 1, cloudsim.Refuse{Status: 429, Header: http.Header{"Retry-After": {"2040"}}})
	making := []string{"good", "error", "vanished", "stuck", "deadvolume", "unlisted", "unseen", "gone", "forced", "jammed", "goneasked"}
	s.hold(append(making, "throttled", "noparent", "refused", "mute", "volumegone", "incremental", "grown", "withdrawn", "plain", "skewed", "strayed", "volumeerror")...)
	s.asked = backup.Grid(s.Clock.Now(), s.Settings.BackupServicePeriod.Std())
	s.Plan()
	for range 2 { // creates leftovers and requests without a response
		require.NoError(s.T, s.Scheduler.Dispatch(s.Ctx, s.BeginRun()))
		s.Step(crashStep)
		s.hold(unconfirmed...)
	}
	for _, name := range []string{"leftover", "byothers", "risen", "wedged"} {
		s.requireRecord(name, backup.Failed)
		s.hold(name)
	}
	for _, name := range making {
		delete(s.held, s.volumes[name])
	}
	require.NoError(s.T, s.Scheduler.Dispatch(s.Ctx, s.BeginRun()))
	s.backupWithWrongClock("skewed")
	for _, name := range append(making, unconfirmed...) {
		s.requireRecord(name, backup.Creating)
	}
	s.addFault(askRoute, "throttled", 1, cloudsim.Refuse{Status: 429})
	s.addFault(askRoute, "refused", 40, cloudsim.Refuse{Status: 429})
	s.addFault(askRoute, "mute", 40, cloudsim.DropBefore{})
	s.addFault(askRoute, "plain", 1, errorResponse(400, "Invalid input received: Invalid characters in the request body."))
	s.addFault(askRoute, "noparent", 1, errorResponse(400, "Invalid backup: No backups available to do an incremental backup."))
	s.addFault(showRoute, "unlisted", 2, cloudsim.Refuse{Status: 503})
	s.addFault(showRoute, "unseen", 40, cloudsim.Refuse{Status: 503})
	s.addFault(backupsRoute, "adopt", 1, cloudsim.Refuse{Status: 503})
	for _, name := range []string{"volumegone", "mute"} {
		s.addFault("GET /volume/v3/{project}/volumes/{volume}", name, 1, cloudsim.Refuse{Status: 503})
	}
	s.recording.change(func(sim *cloudsim.Cloud) {
		sim.AddFault(cloudsim.Fault{Route: "GET /identity/v3/auth/tokens", Times: 1, Do: cloudsim.Refuse{Status: 503}})
	})
	s.addFault(rig.ActionRoute, "wedged", 40, errorResponse(400, "Invalid backup: not possible"))
	s.addFault(rig.ActionRoute, "deadvolume", 1, errorResponse(400, "Invalid backup: not possible"))
	s.addFault(rig.ActionRoute, "stuck", 1, cloudsim.Refuse{Status: 503})
	s.addFault(rig.ActionRoute, "forced", 1, cloudsim.FailLater{Reason: "no space left on device", Status: "error_deleting"})
	s.addFault(rig.ActionRoute, "jammed", 1, cloudsim.Stick{})
	s.addFault(rig.ActionRoute, "rehangs", 1, errorResponse(400, "Invalid backup: not possible"))
	s.addFault(rig.ActionRoute, "between", 1, cloudsim.FailLater{Reason: "no space left on device", Status: "error_deleting"})
	vanished, byothers, risen, wedged := s.newest("vanished"), s.newest("byothers"), s.newest("risen"), s.newest("wedged")
	s.recording.change(func(sim *cloudsim.Cloud) {
		sim.RemoveBackup(vanished)
		sim.RemoveBackup(byothers)
		sim.SetBackupStatus(risen, "available")
		sim.SetBackupStatus(wedged, "error_deleting")
		sim.DeleteVolume(s.volumes["deadvolume"])
	})
}

// changeTenants makes changes that tenants make, and lets time pass.
func (s *crashScenario) changeTenants() {
	s.Step(20 * time.Minute)
	first := s.RecordsOf(s.volumes["twin"])[0]
	tag := backup.Tag{Installation: s.Scheduler.Identity.Installation, Record: first.ID}.Metadata()
	s.recording.create(func(sim *cloudsim.Cloud) string {
		return sim.AddBackup(cloudsim.NewBackup{Volume: s.volumes["twin"], Metadata: tag, Name: "twin"})
	})
	secretless := s.Sim.BackupsOf(s.volumes["secretless"]) // these backups are kept until after the end of the scenario
	s.recording.change(func(sim *cloudsim.Cloud) {
		sim.DeleteSecretOf(secretless[len(secretless)-2].ID) // the newest secret shows that Barbican works
		sim.Extend(s.volumes["grown"], 2)
		sim.SetMetadata(s.servers["withdrawn"], s.Settings.BackupMetadataKey, "false")
		sim.SetMetadata(s.servers["aging"], s.Settings.RetentionMetadataKey, "a while")
		sim.SetQuota(s.projects["quota"], 1, 1)
		sim.DeleteVolume(s.volumes["volumegone"])
		sim.DeleteVolume(s.volumes["swallowed"])
		sim.TransferVolume(s.volumes["moved"], s.projects["p1"])
		sim.DisableProject(s.projects["closed"])
		sim.DeleteProject(s.projects["gone"])
	})
	s.add("p1", "", "new")
	s.Exec(`INSERT INTO pauses VALUES ($1, staffeln_now(), 'somebody', 'maintenance')`, s.projects["paused"])
	// refusals that have lasted for two days, and a record that is older than the history time
	s.Exec(`UPDATE records SET deletion_refused_since = staffeln_now() - interval '2 days', changed_at = staffeln_now()
		WHERE volume_id = $1 AND state = 'available'`, s.volumes["aging"])
	s.Exec(`UPDATE records SET changed_at = changed_at - interval '2 years' WHERE id = $1`, s.LastRecord(s.volumes["byothers"]).ID)
}

// unknownReceiver is the address of a project member that the mail server rejects.
const unknownReceiver = "refused@tenants.example"

// addMember adds a user with that address to a project.
func (s *crashScenario) addMember(project, address string) {
	id := s.recording.create(func(sim *cloudsim.Cloud) string { return sim.AddUser(address, "x", address) })
	s.recording.change(func(sim *cloudsim.Cloud) { sim.Grant(id, s.projects[project], "member") })
}

// addMails leaves mails to send: one of them is older than mails are retried. Keystone's list of all users lacks users of
// other domains.
func (s *crashScenario) addMails() {
	s.recording.change(func(sim *cloudsim.Cloud) {
		sim.AddFault(cloudsim.Fault{Route: "GET /identity/v3/users", Times: 1, Do: cloudsim.Refuse{Status: 200, Body: `{"users": [], "links": {}}`}})
	})
	p6 := s.projects["p6"]
	s.Exec(`INSERT INTO report_groups (id) VALUES ($1)`, p6)
	s.Exec(`INSERT INTO reports (id, group_id, created_at, content) VALUES ('old', $1, staffeln_now() - interval '8 days', '{}')`, p6)
	s.Exec(`INSERT INTO report_mails (report_id, receiver, group_id, message_id) VALUES ('old', $2, $1, 'old@ops.example')`, p6, unknownReceiver)
	s.Exec(`UPDATE records SET report_id = 'old' WHERE id = $1`, s.RecordsOf(s.volumes["unlisted"])[0].ID)
}

// hold keeps the tasks of volumes from being executed.
func (s *crashScenario) hold(names ...string) {
	for _, name := range names {
		s.held[s.volumes[name]] = true
	}
}
