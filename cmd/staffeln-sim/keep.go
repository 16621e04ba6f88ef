package main

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

const nextSteps = `
Next, with a cloud of your own:

  . ./openrc           # with the role admin in every project, by password
  export STAFFELN_DATABASE_URL=postgres://staffeln@localhost/staffeln
  export STAFFELN_REDIS_URL=redis://localhost/0
  staffeln migrate up
  staffeln all         # or scheduler, worker and api, each as often as you like
  openstack server set --property __staffeln_backup=true SERVER

docs/configuration.md lists all variables. KEEP=1 leaves the demo running, with
its page for a browser, where people see their volumes and backups.
`

// keepRunning starts the stopped processes again, prints how to use everything, and waits for the end of ctx.
func (d *demo) keepRunning(ctx context.Context) error {
	for _, p := range d.supervisor.processes {
		if !p.running() {
			if err := d.supervisor.start(ctx, p); err != nil {
				return err
			}
		}
	}
	if err := d.supervisor.waitReady(ctx); err != nil {
		return err
	}
	if err := d.print(d.instructions()); err != nil {
		return err
	}
	<-ctx.Done()
	return d.print("\nAll processes are stopped and all data is removed.\n")
}

// instructions returns addresses, variables and commands to try.
func (d *demo) instructions() string {
	var b strings.Builder
	b.WriteString("\nEverything runs until Ctrl-C. Its addresses:\n\n")
	fmt.Fprintf(&b, "  %-12s %s\n", "cloud", d.environment.url)
	for _, p := range d.supervisor.processes {
		fmt.Fprintf(&b, "  %-12s http://%s   process %d\n", p.name, p.address, p.cmd.Process.Pid)
	}
	api := d.supervisor.named("api").address
	fmt.Fprintf(&b, "  %-12s http://%s/   sign in as %s, password %s, project %s; or as the operator with the variables below\n",
		"page", api, tenantName, tenantPassword, tenantProject)
	fmt.Fprintf(&b, "  %-12s %s\n\nIts variables (without the passwords in URLs):\n\n", "logs", d.folder)
	for _, name := range slices.Sorted(maps.Keys(d.supervisor.env)) {
		value := d.supervisor.env[name]
		if u, err := url.Parse(value); err == nil && u.User != nil {
			value = u.Redacted()
		}
		fmt.Fprintf(&b, "  export %s='%s'\n", name, value)
	}
	fmt.Fprintf(&b, `
Try, in another terminal with those variables:

  %[1]s status
  %[1]s explain web-data
  %[1]s retention plan --days 1
  curl http://%[2]s/v1/health
  %[1]s backups   # take an ID; then ask as Cinder does before a deletion (False: refused; True: not our backup)
  curl -X POST 'http://%[2]s/v1/backup?backup_id=ID'
  curl http://%[3]s/metrics
  curl %[4]s/cloudsim/journal
  tail -f %[5]s/worker-2.log
  kill -9 %[6]d
`, d.supervisor.program, api, d.supervisor.named("scheduler-1").address, d.environment.url, d.folder, d.supervisor.named("worker-1").cmd.Process.Pid)
	return b.String()
}
