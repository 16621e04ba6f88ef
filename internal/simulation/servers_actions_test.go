package simulation

import (
	"strings"

	"staffeln/internal/invariants"
)

// An action is what somebody does. If it lasts, it returns the function that ends it.
type action func(sim *simulation) (end func())

// instant is an action that does not last.
func instant(do func(sim *simulation)) action {
	return func(sim *simulation) func() { do(sim); return nil }
}

func newServer(name, project, wish, retention string) action {
	return instant(func(sim *simulation) {
		metadata := map[string]string{sim.set.BackupMetadataKey: wish}
		if retention != "" {
			metadata[sim.set.RetentionMetadataKey] = retention
		}
		sim.addServer(name, project, metadata)
	})
}

func newVolume(name, server string, size int) action {
	return instant(func(sim *simulation) { sim.addVolume(name, sim.projectOf[server], server, size, false) })
}

func attach(volume, server string) action {
	return instant(func(sim *simulation) { sim.cloud.Attach(sim.server(server), sim.volume(volume)) })
}

func detach(volume string) action {
	return instant(func(sim *simulation) {
		v, _ := sim.cloud.Volume(sim.volume(volume))
		for _, server := range v.Servers {
			sim.cloud.Detach(server, v.ID)
		}
	})
}

func extend(volume string, by int) action {
	return instant(func(sim *simulation) {
		v, _ := sim.cloud.Volume(sim.volume(volume))
		sim.cloud.Extend(v.ID, v.SizeGiB+by)
	})
}

// inStatus sets a volume to a status in which Cinder makes no backup of it.
func inStatus(volume, status string) action {
	return func(sim *simulation) func() {
		id := sim.volume(volume)
		sim.cloud.SetVolumeStatus(id, status)
		reason := "volume_changing nobody"
		if strings.HasPrefix(status, "error") {
			reason = "volume_status tenant"
		}
		end := sim.expected.begin(invariants.Hindrance{
			Name: "a volume in status " + status, Volume: id, Makes: true, Reasons: []string{reason, "decision not_seen operator"}, // the second reason while Nova or Cinder is down
		})
		return func() {
			end()
			if v, there := sim.cloud.Volume(id); there && v.Status == status {
				sim.cloud.SetVolumeStatus(id, map[bool]string{true: "in-use", false: "available"}[len(v.Servers) > 0])
			}
		}
	}
}

// transfer transfers a volume to another project, where a server uses it.
func transfer(volume, server string) action {
	return instant(func(sim *simulation) {
		detach(volume)(sim)
		sim.cloud.TransferVolume(sim.volume(volume), sim.project(sim.projectOf[server]))
		sim.projectOf[volume] = sim.projectOf[server]
		sim.cloud.Attach(sim.server(server), sim.volume(volume))
	})
}

func deleteVolume(volume string) action {
	return instant(func(sim *simulation) {
		sim.cloud.DeleteVolume(sim.volume(volume))
		delete(sim.volumes, volume)
	})
}

func deleteServer(server string) action {
	return instant(func(sim *simulation) {
		sim.cloud.DeleteServer(sim.server(server))
		delete(sim.servers, server)
	})
}

func wish(server, value string) action {
	return instant(func(sim *simulation) { sim.cloud.SetMetadata(sim.server(server), sim.set.BackupMetadataKey, value) })
}

func noWish(server string) action {
	return instant(func(sim *simulation) { sim.cloud.DeleteMetadata(sim.server(server), sim.set.BackupMetadataKey) })
}

func retention(server, value string) action {
	return instant(func(sim *simulation) { sim.cloud.SetMetadata(sim.server(server), sim.set.RetentionMetadataKey, value) })
}

func noRetention(server string) action {
	return instant(func(sim *simulation) { sim.cloud.DeleteMetadata(sim.server(server), sim.set.RetentionMetadataKey) })
}

// thief uses the stolen password of a project to request a very short retention, until the owner notices.
func thief(project, value string) action {
	return func(sim *simulation) func() {
		before := map[string]string{}
		for _, s := range sim.cloud.Servers() {
			if s.Project == sim.project(project) {
				before[s.ID] = s.Metadata[sim.set.RetentionMetadataKey]
				sim.cloud.SetMetadata(s.ID, sim.set.RetentionMetadataKey, value)
			}
		}
		return func() {
			for _, s := range sim.cloud.Servers() {
				switch was, robbed := before[s.ID]; {
				case !robbed:
				case was == "":
					sim.cloud.DeleteMetadata(s.ID, sim.set.RetentionMetadataKey)
				default:
					sim.cloud.SetMetadata(s.ID, sim.set.RetentionMetadataKey, was)
				}
			}
		}
	}
}

// projectDeleted deletes a project. A tidy tenant deletes its servers and volumes before.
func projectDeleted(name string, tidy bool) action {
	return instant(func(sim *simulation) {
		id := sim.project(name)
		for _, volume := range sim.roster {
			if tidy && sim.volumes[volume] != "" && sim.projectOf[volume] == name {
				deleteVolume(volume)(sim)
			}
		}
		for server, project := range sim.projectOf {
			if tidy && sim.servers[server] != "" && project == name {
				deleteServer(server)(sim)
			}
		}
		sim.cloud.DeleteProject(id)
		sim.expected.begin(invariants.Hindrance{
			Name: "the project is deleted", Project: id, Makes: true, Removes: true, Reasons: []string{"decision project_gone operator", "project_gone operator", "decision not_seen operator"},
		})
	})
}
