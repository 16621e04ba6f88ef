package office

import (
	"strings"

	"staffeln/internal/office/oracle"
)

// A deed is something that somebody does. Where it lasts, it returns what ends it.
type deed func(o *office) (end func())

// once is a deed that does not last.
func once(do func(o *office)) deed { return func(o *office) func() { do(o); return nil } }

func newServer(name, project, wish, retention string) deed {
	return once(func(o *office) {
		metadata := map[string]string{o.set.BackupMetadataKey: wish}
		if retention != "" {
			metadata[o.set.RetentionMetadataKey] = retention
		}
		o.addServer(name, project, metadata)
	})
}

func newVolume(name, server string, size int) deed {
	return once(func(o *office) { o.addVolume(name, o.homes[server], server, size, false) })
}

func attach(volume, server string) deed {
	return once(func(o *office) { o.sim.Attach(o.server(server), o.volume(volume)) })
}

func detach(volume string) deed {
	return once(func(o *office) {
		v, _ := o.sim.Volume(o.volume(volume))
		for _, server := range v.Servers {
			o.sim.Detach(server, v.ID)
		}
	})
}

func extend(volume string, by int) deed {
	return once(func(o *office) {
		v, _ := o.sim.Volume(o.volume(volume))
		o.sim.Extend(v.ID, v.SizeGiB+by)
	})
}

// inStatus keeps a volume in a status in which Cinder makes no backup of it.
func inStatus(volume, status string) deed {
	return func(o *office) func() {
		id := o.volume(volume)
		o.sim.SetVolumeStatus(id, status)
		told := "volume_changing nobody"
		if strings.HasPrefix(status, "error") {
			told = "volume_status tenant"
		}
		end := o.oracle.Begin(oracle.Trouble{
			Name: "a volume in status " + status, Scope: id, Stops: oracle.Stops{Makes: true}, Told: []string{told, "decision not_seen operator"}, // the latter while Nova or Cinder is away
		})
		return func() {
			end()
			if v, there := o.sim.Volume(id); there && v.Status == status {
				o.sim.SetVolumeStatus(id, map[bool]string{true: "in-use", false: "available"}[len(v.Servers) > 0])
			}
		}
	}
}

// transfer gives a volume to another project, where a server uses it.
func transfer(volume, server string) deed {
	return once(func(o *office) {
		detach(volume)(o)
		o.sim.TransferVolume(o.volume(volume), o.project(o.homes[server]))
		o.homes[volume] = o.homes[server]
		o.sim.Attach(o.server(server), o.volume(volume))
	})
}

func deleteVolume(volume string) deed {
	return once(func(o *office) {
		o.sim.DeleteVolume(o.volume(volume))
		delete(o.volumes, volume)
	})
}

func deleteServer(server string) deed {
	return once(func(o *office) {
		o.sim.DeleteServer(o.server(server))
		delete(o.servers, server)
	})
}

func wish(server, value string) deed {
	return once(func(o *office) { o.sim.SetMetadata(o.server(server), o.set.BackupMetadataKey, value) })
}

func noWish(server string) deed {
	return once(func(o *office) { o.sim.DeleteMetadata(o.server(server), o.set.BackupMetadataKey) })
}

func retention(server, value string) deed {
	return once(func(o *office) { o.sim.SetMetadata(o.server(server), o.set.RetentionMetadataKey, value) })
}

func noRetention(server string) deed {
	return once(func(o *office) { o.sim.DeleteMetadata(o.server(server), o.set.RetentionMetadataKey) })
}

// thief has a password of a project, and asks for a retention of next to nothing until the owner finds out.
func thief(project, value string) deed {
	return func(o *office) func() {
		before := map[string]string{}
		for _, s := range o.sim.Servers() {
			if s.Project == o.project(project) {
				before[s.ID] = s.Metadata[o.set.RetentionMetadataKey]
				o.sim.SetMetadata(s.ID, o.set.RetentionMetadataKey, value)
			}
		}
		return func() {
			for _, s := range o.sim.Servers() {
				switch was, robbed := before[s.ID]; {
				case !robbed:
				case was == "":
					o.sim.DeleteMetadata(s.ID, o.set.RetentionMetadataKey)
				default:
					o.sim.SetMetadata(s.ID, o.set.RetentionMetadataKey, was)
				}
			}
		}
	}
}

// projectDeleted deletes a project: a tidy tenant takes what it has away before, another one leaves it.
func projectDeleted(name string, tidy bool) deed {
	return once(func(o *office) {
		id := o.project(name)
		for _, volume := range o.roster {
			if tidy && o.volumes[volume] != "" && o.homes[volume] == name {
				deleteVolume(volume)(o)
			}
		}
		for server, home := range o.homes {
			if tidy && o.servers[server] != "" && home == name {
				deleteServer(server)(o)
			}
		}
		o.sim.DeleteProject(id)
		o.oracle.Begin(oracle.Trouble{
			Name: "the project is deleted", Scope: id, Stops: oracle.Stops{Makes: true, Removes: true}, Told: []string{"project_gone operator"},
		})
	})
}
