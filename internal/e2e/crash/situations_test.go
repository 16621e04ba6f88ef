package crash

import (
	"net/http"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/tasks"
)

// toggle sets the metadata of a server that asks for backups.
func (s *crashScenario) toggle(volume, wish string) {
	s.recording.change(func(sim *cloudsim.Cloud) { sim.SetMetadata(s.servers[volume], s.Settings.BackupMetadataKey, wish) })
}

// addTenantBackup adds a tenant's own backup, with our newest one as its parent.
func (s *crashScenario) addTenantBackup(volume string) {
	newest := s.newest(volume)
	s.recording.create(func(sim *cloudsim.Cloud) string {
		return sim.AddBackup(cloudsim.NewBackup{Volume: s.volumes[volume], User: "a tenant", Parent: newest, Name: "theirs"})
	})
}

// backupWithWrongClock asks for a backup while Cinder's clock is an hour behind.
func (s *crashScenario) backupWithWrongClock(volume string) {
	s.recording.change(func(sim *cloudsim.Cloud) { sim.SetCinderSkew(-time.Hour) })
	require.NoError(s.T, s.handle(s.Ctx, tasks.Item{Kind: tasks.VolumeBackup, VolumeID: s.volumes[volume]}))
	s.requireRecord(volume, backup.Creating)
	s.recording.change(func(sim *cloudsim.Cloud) { sim.SetCinderSkew(0) })
}

// situations changes the cloud around the volumes: purged projects, servers that no list shows, a restored Cinder database,
// and a Keystone that is down for a moment.
func (s *crashScenario) situations() {
	s.Step(9 * time.Minute) // so that the next plan is due after the steps in between (advance_test.go)
	marred := s.newest("marred")
	s.recording.create(func(sim *cloudsim.Cloud) string {
		tag := backup.Tag{Installation: s.Scheduler.Identity.Installation, Record: "forgotten"}.Metadata()
		return sim.AddBackup(cloudsim.NewBackup{Volume: s.volumes["foundling"], Metadata: tag, Name: "foundling"})
	})
	s.recording.change(func(sim *cloudsim.Cloud) {
		sim.SetBackupStatus(marred, "error")
		sim.PurgeProject(s.projects["purged"])
		sim.DeleteProject(s.projects["goneasked"])
		sim.DeleteVolume(s.volumes["unwanted"])
		sim.AddFault(cloudsim.Fault{Route: askRoute, Project: s.projects["shut"], Times: 1, Do: cloudsim.Stick{}}) // repeated, and never executed
		sim.HideServer(s.servers["hidden"])
		sim.Shelve(s.servers["shelved"])
		s.changeServers(sim)
		sim.AddFault(cloudsim.Fault{
			Route: "GET /identity/v3/role_assignments", Times: 1, Do: cloudsim.Refuse{Status: 503},
			Match: func(r cloudsim.Request) bool { return r.Query.Get("scope.project.id") == s.projects["p3"] },
		})
		sim.AddFault(cloudsim.Fault{ // the second list of all backups: reports use the result of the first one
			Route: backupsRoute, Skip: 1, Times: 1, Do: cloudsim.Refuse{Status: 503},
			Match: func(r cloudsim.Request) bool { return r.Query.Get("volume_id") == "" && r.Query.Get("status") == "" },
		})
		p2 := s.projects["p2"]
		sim.AddFault(cloudsim.Fault{ // of a project whose backups are removed and whose secrets are checked
			Route: "POST /identity/v3/auth/tokens", Skip: 1, Times: 1,
			Match: func(r cloudsim.Request) bool { return strings.Contains(string(r.Body), p2) },
			Do:    unauthorised,
		})
	})
	// recorded as removed, and in Cinder again
	again := s.RecordsOf(s.volumes["reborn"])[5]
	s.Exec(`UPDATE records SET state = 'deleted', removal_reason = 'expired', cinder_status = 'deleted', changed_at = staffeln_now() WHERE id = $1`, again.ID)
	s.Exec(`UPDATE volumes SET removal_next_try_at = staffeln_now() + interval '5 minutes' WHERE id = $1`, s.volumes["slipped"])
	// planned, admitted and postponed
	for _, name := range []string{"strayed", "volumeerror"} {
		s.requireRecord(name, backup.Planned)
		s.Exec(`UPDATE records SET next_try_at = staffeln_now() + interval '5 minutes' WHERE volume_id = $1 AND state = 'planned'`, s.volumes[name])
	}
}

// changeServers puts each server into a temporary state; restoreServers ends all of them.
func (s *crashScenario) changeServers(sim *cloudsim.Cloud) {
	sim.Shelve(s.servers["unshelved"])
	sim.BeginResize(s.servers["resized"], "attaching")
	sim.SoftDelete(s.servers["soft"])
	sim.HideServer(s.servers["cell"])
	sim.SetMetadata(s.servers["toggled"], s.Settings.BackupMetadataKey, "false")
}

func (s *crashScenario) restoreServers(sim *cloudsim.Cloud) {
	sim.Unshelve(s.servers["unshelved"])
	sim.EndResize(s.servers["resized"])
	sim.Restore(s.servers["soft"])
	sim.ShowServer(s.servers["cell"])
	sim.SetMetadata(s.servers["toggled"], s.Settings.BackupMetadataKey, "true")
}

// unauthorised is Keystone's response to a user without a role.
var unauthorised = cloudsim.Refuse{
	Status: http.StatusUnauthorized, Header: http.Header{"Content-Type": {"application/json"}},
	Body: `{"error": {"code": 401, "message": "The request you have made requires authentication.", "title": "Unauthorized"}}`,
}
