package simulation

import (
	"net/http"
	"strings"

	"staffeln/internal/cloudsim"
	"staffeln/internal/invariants"
)

// outage is an action that breaks something and fixes it at its end.
func outage(h invariants.Hindrance, do, fix func(sim *simulation)) action {
	return func(sim *simulation) func() {
		do(sim)
		end := sim.expected.begin(h)
		return func() { fix(sim); end() }
	}
}

// inProject is an outage of one project, which is given by name.
func inProject(project string, h invariants.Hindrance, do, fix func(sim *simulation, id string)) action {
	return func(sim *simulation) func() {
		id := sim.project(project)
		h.Project = id
		return outage(h, func(sim *simulation) { do(sim, id) }, func(sim *simulation) { fix(sim, id) })(sim)
	}
}

var (
	everything = invariants.Hindrance{Blind: true, Makes: true, Removes: true}
	blind      = invariants.Hindrance{Blind: true, Makes: true}
)

// quota sets a project's quota to zero.
func quota(project string) action {
	return inProject(project, invariants.Hindrance{Name: "quota exhausted", Makes: true, Reasons: []string{"quota_exceeded tenant"}},
		func(sim *simulation, id string) { sim.cloud.SetQuota(id, 0, 0) }, func(sim *simulation, id string) { sim.cloud.SetQuota(id, -1, -1) })
}

func disabled(project string) action {
	return inProject(project, invariants.Hindrance{Name: "project disabled", Makes: true, Removes: true, Reasons: []string{"no_role operator"}},
		func(sim *simulation, id string) { sim.cloud.DisableProject(id) }, func(sim *simulation, id string) { sim.cloud.EnableProject(id) })
}

// roleLost takes our role admin away: lists of all projects become lists of one project, without an error.
func roleLost() action {
	return outage(invariants.Hindrance{Name: "our role is lost", Blind: true, Makes: true, Removes: true, Reasons: []string{"the plan is old"}}, func(sim *simulation) {
		users := sim.cloud.Cast()
		sim.cloud.Revoke(users.Service, users.AdminProject, "admin")
		sim.cloud.RevokeInherited(users.Service, users.Domain, "admin")
		sim.cloud.Grant(users.Service, users.AdminProject, "member")
	}, func(sim *simulation) {
		users := sim.cloud.Cast()
		sim.cloud.Grant(users.Service, users.AdminProject, "admin")
		sim.cloud.GrantInherited(users.Service, users.Domain, "admin")
	})
}

// passwordRotated changes our password; at its end the processes are restarted with the new one.
func passwordRotated(password string) action {
	return outage(invariants.Hindrance{Name: "our password is another one", Blind: true, Makes: true, Removes: true, Reasons: []string{"the plan is old"}},
		func(sim *simulation) { sim.cloud.SetPassword(sim.cloud.Cast().Service, password) },
		func(sim *simulation) { sim.password = password; sim.start() })
}

// away is an outage of one OpenStack API.
func away(service, name string, h invariants.Hindrance, reasons ...string) action {
	var remove func()
	h.Name, h.Reasons = name+" is away", reasons
	return outage(h, func(sim *simulation) {
		remove = sim.cloud.AddFault(cloudsim.Fault{
			Match: func(r cloudsim.Request) bool { return strings.HasPrefix(r.Path, "/"+service) },
			Do:    cloudsim.Refuse{Status: http.StatusServiceUnavailable},
		})
	}, func(*simulation) { remove() })
}

func backupDown() action {
	return outage(invariants.Hindrance{Name: "cinder-backup is down", Makes: true, Removes: true, Reasons: []string{"its project waits for a slot", "in_progress"}},
		func(sim *simulation) { sim.cloud.SetBackupService(false) }, func(sim *simulation) { sim.cloud.SetBackupService(true) })
}

// restarted restarts cinder-backup, which aborts its work.
func restarted() action {
	return outage(invariants.Hindrance{Name: "cinder-backup was restarted", Makes: true, Removes: true}, func(sim *simulation) { sim.cloud.RestartBackupService() }, func(*simulation) {})
}

func targetFull() action {
	return outage(invariants.Hindrance{Name: "the backup target is full", Makes: true, Reasons: []string{"backup_error operator"}},
		func(sim *simulation) { sim.cloud.BreakTarget("no space left on device") }, func(sim *simulation) { sim.cloud.BreakTarget("") })
}

// barbicanDown makes the keys inaccessible. At its end the operator resets what hangs.
func barbicanDown() action {
	return func(sim *simulation) func() {
		sim.cloud.SetKeyManager(false)
		var all []invariants.Hindrance
		for _, v := range sim.expected.volumes {
			if v.encrypted {
				all = append(all, invariants.Hindrance{Name: "Barbican is away", Volume: v.id, Makes: true, Removes: true, Reasons: []string{"backup_error operator"}})
			}
		}
		end := sim.expected.begin(all...)
		return func() {
			sim.cloud.SetKeyManager(true)
			for _, b := range sim.cloud.Backups() {
				if b.Encrypted && (b.Status == "deleting" || b.Status == "error_deleting") {
					sim.cloud.SetBackupStatus(b.ID, "error")
				}
			}
			end()
		}
	}
}

// hangs makes the next backup of a volume hang, until the operator resets it.
func hangs(volume string) action {
	return func(sim *simulation) func() {
		id := sim.volume(volume)
		remove := sim.cloud.AddFault(cloudsim.Fault{Route: "POST /volume/v3/{project}/backups", Volume: id, Times: 1, Do: cloudsim.Stick{}})
		end := sim.expected.begin(invariants.Hindrance{Name: "a backup hangs", Volume: id, Makes: true, Removes: true, Reasons: []string{"backup_in_progress", "deadline_passed operator"}})
		return func() {
			remove()
			for _, b := range sim.cloud.BackupsOf(id) {
				if b.Status == "creating" {
					sim.cloud.ReleaseBackup(b.ID)
				}
			}
			end()
		}
	}
}

func databaseAway() action {
	return outage(invariants.Hindrance{Name: "Postgres is away", Blind: true, Makes: true, Removes: true, Shows: true}, func(sim *simulation) { sim.databaseAway = true }, func(sim *simulation) { sim.databaseAway = false })
}

func queueAway() action {
	return outage(invariants.Hindrance{Name: "Redis is away", Makes: true, Removes: true, Reasons: []string{"planned", "creating", "backup_in_progress"}},
		func(sim *simulation) { sim.queueAway = true }, func(sim *simulation) { sim.queueAway = false })
}

func queueLost() action { return instant(func(sim *simulation) { sim.queue.Lose() }) }

func noScheduler() action {
	return outage(invariants.Hindrance{Name: "no scheduler runs", Blind: true, Makes: true, Removes: true, Reasons: []string{"the plan is old", "the dispatch run is old"}},
		func(sim *simulation) { sim.schedulerAway = true }, func(sim *simulation) { sim.schedulerAway = false })
}

func noWorkers() action {
	return outage(invariants.Hindrance{Name: "no worker runs", Makes: true, Removes: true, Reasons: []string{"planned", "creating", "backup_in_progress"}},
		func(sim *simulation) { sim.workersAway = true }, func(sim *simulation) { sim.workersAway = false })
}

func otherLeads() action { return instant(func(sim *simulation) { sim.takeLead() }) }

// omits empties a list of all projects for some time, as when a cell is down or a replica lags.
func omits(list string) action {
	var remove func()
	return outage(invariants.Hindrance{Name: "a list omits " + list, Blind: true, Makes: true}, func(sim *simulation) {
		service := map[string]string{"servers": "/compute", "volumes": "/volume"}[list]
		remove = sim.cloud.AddFault(cloudsim.Fault{
			Match: func(r cloudsim.Request) bool {
				return r.Method == http.MethodGet && r.Query.Get("all_tenants") != "" && strings.HasPrefix(r.Path, service) && strings.HasSuffix(r.Path, "/"+list+"/detail")
			},
			Do: cloudsim.Refuse{Status: http.StatusOK, Body: `{"` + list + `": []}`},
		})
	}, func(*simulation) { remove() })
}
