package simulation

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/inprocess"
)

// ask sends Cinder a request with a token of a user in a project.
func (sim *simulation) ask(user, projectID, method, path, body string) {
	inprocess.AskCinder(sim.ctx, sim.cloud, user, projectID, method, path, body)
}

// owner returns the user of the volume's project, and the project's ID.
func (sim *simulation) owner(volume string) (user, projectID string) {
	return "owner-" + sim.projectOf[volume], sim.project(sim.projectOf[volume])
}

// ours returns our backups of a volume in its project, oldest first.
func (sim *simulation) ours(volume string) []cloudsim.Backup {
	return slices.DeleteFunc(sim.cloud.BackupsOf(sim.volume(volume)), func(b cloudsim.Backup) bool {
		return b.User != sim.cloud.Cast().Service || b.Project != sim.project(sim.projectOf[volume]) || slices.Contains(sim.theirs, b.ID)
	})
}

// removeBackup is an action: the tenant deletes our newest backup.
func removeBackup(volume string) action {
	return instant(func(sim *simulation) {
		if of := sim.ours(volume); len(of) > 0 {
			user, project := sim.owner(volume)
			sim.ask(user, project, http.MethodDelete, "/backups/"+of[len(of)-1].ID, "")
		}
	})
}

// renameBackups is an action: the tenant renames all our backups.
func renameBackups(volume string) action {
	return instant(func(sim *simulation) {
		user, project := sim.owner(volume)
		for _, b := range sim.ours(volume) {
			sim.ask(user, project, http.MethodPut, "/backups/"+b.ID, `{"backup":{"name":"precious","description":"do not touch"}}`)
		}
		sim.expected.disturb(sim.volume(volume))
	})
}

// backUp is an action: the tenant makes a full backup, which becomes the parent of our next incremental.
func backUp(volume string) action { return foreign(volume, false, false) }

// buildOn is an action: the tenant makes an incremental with one of our backups as its parent.
func buildOn(volume string) action { return foreign(volume, true, false) }

// copyTag is an action: the tenant makes a backup with our tag.
func copyTag(volume string) action { return foreign(volume, false, true) }

func foreign(volume string, onOurs, tagged bool) action {
	return instant(func(sim *simulation) {
		user, project := sim.owner(volume)
		n := cloudsim.NewBackup{Volume: sim.volume(volume), Project: project, User: sim.user(user), Name: "mine"}
		if of := sim.ours(volume); len(of) > 0 && of[len(of)-1].Status == "available" {
			newest := of[len(of)-1]
			if all := sim.cloud.BackupsOf(n.Volume); onOurs && all[len(all)-1].ID == newest.ID {
				n.Parent = newest.ID
			}
			if tagged {
				n.Metadata = newest.Metadata
			}
		}
		sim.addForeign(n)
	})
}

func (sim *simulation) addForeign(n cloudsim.NewBackup) string {
	id := sim.cloud.AddBackup(n)
	sim.expected.disturb(n.Volume)
	return id
}

// user returns a tenant's user ID.
func (sim *simulation) user(name string) string { return sim.users[name] }

// rewriteTag is an action: the tenant writes the tag of our newest backup on the one before.
func rewriteTag(volume string) action {
	return instant(func(sim *simulation) {
		of := sim.ours(volume)
		if len(of) < 2 {
			return
		}
		tag := of[len(of)-1].Metadata
		user, project := sim.owner(volume)
		sim.ask(user, project, http.MethodPut, "/backups/"+of[len(of)-2].ID, fmt.Sprintf(`{"backup":{"metadata":{%q:%q,%q:%q}}}`,
			backup.TagInstallation, tag[backup.TagInstallation], backup.TagRecord, tag[backup.TagRecord]))
		sim.expected.disturb(sim.volume(volume))
	})
}

// restoreBackup is an action: the tenant restores our newest backup into a new volume.
func restoreBackup(volume string) action {
	return func(sim *simulation) func() {
		if of := sim.ours(volume); len(of) > 0 {
			user, project := sim.owner(volume)
			sim.ask(user, project, http.MethodPost, "/backups/"+of[len(of)-1].ID+"/restore", `{"restore":{}}`)
		}
		sim.expected.disturb(sim.volume(volume))
		return func() { sim.expected.disturb(sim.volume(volume)) }
	}
}

// otherInstallation is an action: another Staffeln in the cloud, with the same metadata key, makes its own backups of a
// server's volumes, once even as the same service user. It removes its earlier backups if Cinder allows that.
func otherInstallation(server string, asUs bool) action {
	return instant(func(sim *simulation) {
		s := sim.server(server)
		for _, is := range sim.cloud.Servers() {
			if is.ID != s {
				continue
			}
			for _, volume := range is.Volumes {
				for _, b := range sim.cloud.BackupsOf(volume) {
					if slices.Contains(sim.theirs, b.ID) && b.User == sim.other {
						sim.ask("staffeln-b", b.Project, http.MethodDelete, "/backups/"+b.ID, "")
					}
				}
				n := cloudsim.NewBackup{Volume: volume, Project: is.Project, User: sim.other, Name: "theirs", Metadata: map[string]string{
					backup.TagInstallation: "another", backup.TagRecord: fmt.Sprintf("record-%d", len(sim.theirs)),
				}}
				if asUs {
					n.User = ""
				}
				sim.theirs = append(sim.theirs, sim.addForeign(n))
			}
		}
	})
}

// lostResponse loses Cinder's response to the next request about a volume. If the request was not executed, a tenant who has seen
// it may make a backup with its tag.
func lostResponse(volume string, carriedOut, copied bool) action {
	return func(sim *simulation) func() {
		var tag map[string]string
		f := cloudsim.Fault{Route: "POST /volume/v3/{project}/backups", Volume: sim.volume(volume), Times: 1, Do: cloudsim.DropAfterEffect{}}
		if !carriedOut {
			f.Do = cloudsim.DropBefore{}
		}
		f.Match = func(r cloudsim.Request) bool { tag = tagIn(string(r.Body)); return true }
		remove := sim.cloud.AddFault(f)
		sim.expected.disturb(sim.volume(volume))
		if copied {
			sim.watch = append(sim.watch, func() bool {
				if tag == nil {
					return false
				}
				user, project := sim.owner(volume)
				sim.addForeign(cloudsim.NewBackup{Volume: sim.volume(volume), Project: project, User: sim.user(user), Name: "mine", Metadata: tag})
				return true
			})
		}
		return func() { remove(); sim.expected.disturb(sim.volume(volume)) }
	}
}

// tagIn returns the tag in the body of a request.
func tagIn(body string) map[string]string {
	tag := map[string]string{}
	for _, key := range []string{backup.TagInstallation, backup.TagRecord} {
		_, rest, found := strings.Cut(body, `"`+key+`":"`)
		if !found {
			return nil
		}
		tag[key], _, _ = strings.Cut(rest, `"`)
	}
	return tag
}
