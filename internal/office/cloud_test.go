package office

import (
	"net/http"
	"strings"

	"staffeln/internal/cloudsim"
	"staffeln/internal/office/oracle"
)

// trouble is a deed that breaks something, and mends it when its time is over.
func trouble(t oracle.Trouble, do, mend func(o *office)) deed {
	return func(o *office) func() {
		do(o)
		end := o.oracle.Begin(t)
		return func() { mend(o); end() }
	}
}

// inProject is one that concerns a project, which is found by its name.
func inProject(project string, t oracle.Trouble, do, mend func(o *office, id string)) deed {
	return func(o *office) func() {
		id := o.project(project)
		t.Scope = id
		return trouble(t, func(o *office) { do(o, id) }, func(o *office) { mend(o, id) })(o)
	}
}

var (
	nothingGoes = oracle.Stops{Looks: true, Makes: true, Removes: true}
	atWork      = oracle.Stops{Makes: true, Removes: true}
	unheard     = oracle.Stops{Looks: true, Makes: true, Removes: true, Tells: true}
)

// quota takes all room for new backups from a project.
func quota(project string) deed {
	return inProject(project, oracle.Trouble{Name: "quota exhausted", Stops: oracle.Stops{Makes: true}, Told: []string{"quota_exceeded tenant"}},
		func(o *office, id string) { o.sim.SetQuota(id, 0, 0) }, func(o *office, id string) { o.sim.SetQuota(id, -1, -1) })
}

func disabled(project string) deed {
	return inProject(project, oracle.Trouble{Name: "project disabled", Stops: atWork, Told: []string{"no_role operator"}},
		func(o *office, id string) { o.sim.DisableProject(id) }, func(o *office, id string) { o.sim.EnableProject(id) })
}

// roleLost takes our role admin away: the lists of all projects become lists of one, without a word.
func roleLost() deed {
	return trouble(oracle.Trouble{Name: "our role is lost", Stops: nothingGoes, Told: []string{"the plan is old"}}, func(o *office) {
		cast := o.sim.Cast()
		o.sim.Revoke(cast.Service, cast.AdminProject, "admin")
		o.sim.RevokeInherited(cast.Service, cast.Domain, "admin")
		o.sim.Grant(cast.Service, cast.AdminProject, "member")
	}, func(o *office) {
		cast := o.sim.Cast()
		o.sim.Grant(cast.Service, cast.AdminProject, "admin")
		o.sim.GrantInherited(cast.Service, cast.Domain, "admin")
	})
}

// passwordRotated changes our password; the processes are started with the new one when the deed ends.
func passwordRotated(password string) deed {
	return trouble(oracle.Trouble{Name: "our password is another one", Stops: nothingGoes, Told: []string{"the plan is old"}},
		func(o *office) { o.sim.SetPassword(o.sim.Cast().Service, password) },
		func(o *office) { o.password = password; o.start() })
}

// away is an outage of one of OpenStack's APIs.
func away(service, name string, stops oracle.Stops, told ...string) deed {
	var remove func()
	return trouble(oracle.Trouble{Name: name + " is away", Stops: stops, Told: told}, func(o *office) {
		remove = o.sim.AddFault(cloudsim.Fault{
			Match: func(r cloudsim.Request) bool { return strings.HasPrefix(r.Path, "/"+service) },
			Do:    cloudsim.Refuse{Status: http.StatusServiceUnavailable},
		})
	}, func(*office) { remove() })
}

func backupDown() deed {
	return trouble(oracle.Trouble{Name: "cinder-backup is down", Stops: atWork, Told: []string{"its project waits for a place", "in_progress"}},
		func(o *office) { o.sim.SetBackupService(false) }, func(o *office) { o.sim.SetBackupService(true) })
}

// restarted kills what cinder-backup is doing.
func restarted() deed {
	return trouble(oracle.Trouble{Name: "cinder-backup was restarted", Stops: atWork}, func(o *office) { o.sim.RestartBackupService() }, func(*office) {})
}

func targetFull() deed {
	return trouble(oracle.Trouble{Name: "the backup target is full", Stops: oracle.Stops{Makes: true}, Told: []string{"backup_error operator"}},
		func(o *office) { o.sim.BreakTarget("no space left on device") }, func(o *office) { o.sim.BreakTarget("") })
}

// barbicanDown takes the keys away. When it is back, the operator resets what hangs.
func barbicanDown() deed {
	return trouble(oracle.Trouble{Name: "Barbican is away", Encrypted: true, Stops: atWork, Told: []string{"backup_error operator"}},
		func(o *office) { o.sim.SetKeyManager(false) }, func(o *office) {
			o.sim.SetKeyManager(true)
			for _, b := range o.sim.Backups() {
				if b.Encrypted && (b.Status == "deleting" || b.Status == "error_deleting") {
					o.sim.SetBackupStatus(b.ID, "error")
				}
			}
		})
}

// hangs lets the next backup of a volume never end, until the operator frees it.
func hangs(volume string) deed {
	return func(o *office) func() {
		id := o.volume(volume)
		remove := o.sim.AddFault(cloudsim.Fault{Route: "POST /volume/v3/{project}/backups", Volume: id, Times: 1, Do: cloudsim.Stick{}})
		end := o.oracle.Begin(oracle.Trouble{Name: "a backup hangs", Scope: id, Stops: atWork, Told: []string{"backup_in_progress", "deadline_passed operator"}})
		return func() {
			remove()
			for _, b := range o.sim.BackupsOf(id) {
				if b.Status == "creating" {
					o.sim.ReleaseBackup(b.ID)
				}
			}
			end()
		}
	}
}

func databaseAway() deed {
	return trouble(oracle.Trouble{Name: "Postgres is away", Stops: unheard}, func(o *office) { o.databaseAway = true }, func(o *office) { o.databaseAway = false })
}

func queueAway() deed {
	return trouble(oracle.Trouble{Name: "Redis is away", Stops: atWork, Told: []string{"planned", "creating", "backup_in_progress"}},
		func(o *office) { o.queueAway = true }, func(o *office) { o.queueAway = false })
}

func queueLost() deed { return once(func(o *office) { o.queue.Lose() }) }

func noScheduler() deed {
	return trouble(oracle.Trouble{Name: "no scheduler runs", Stops: nothingGoes, Told: []string{"the plan is old", "the dispatch run is old"}},
		func(o *office) { o.schedulerAway = true }, func(o *office) { o.schedulerAway = false })
}

func noWorkers() deed {
	return trouble(oracle.Trouble{Name: "no worker runs", Stops: atWork, Told: []string{"planned", "creating", "backup_in_progress"}},
		func(o *office) { o.workersAway = true }, func(o *office) { o.workersAway = false })
}

func otherLeads() deed { return once(func(o *office) { o.takeLead() }) }

// omits lets a list of all projects be empty for as long as it lasts: a cell that is away, a replica that lags.
func omits(list string) deed {
	var remove func()
	return trouble(oracle.Trouble{Name: "a list omits " + list, Stops: oracle.Stops{Looks: true, Makes: true}}, func(o *office) {
		service := map[string]string{"servers": "/compute", "volumes": "/volume"}[list]
		remove = o.sim.AddFault(cloudsim.Fault{
			Match: func(r cloudsim.Request) bool {
				return r.Method == http.MethodGet && r.Query.Get("all_tenants") != "" && strings.HasPrefix(r.Path, service) && strings.HasSuffix(r.Path, "/"+list+"/detail")
			},
			Do: cloudsim.Refuse{Status: http.StatusOK, Body: `{"` + list + `": []}`},
		})
	}, func(*office) { remove() })
}
