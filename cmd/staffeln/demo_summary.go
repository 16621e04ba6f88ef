package main

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/invariants"
)

// conclude checks the laws over journal and tables, tells how it went, and answers an error where a law is broken.
func (d *demo) conclude(l *sight) error {
	facts := lawFacts(l, d.world.sim)
	violations := invariants.Check(facts)
	var b strings.Builder
	fmt.Fprintf(&b, "\nThe laws, over %d events of the cloud's journal and %d records:\n\n", len(facts.Journal), len(facts.Records))
	line := func(name string, n int, format string, args ...any) {
		more := fmt.Sprintf(format, args...)
		b.WriteString(strings.TrimRight(fmt.Sprintf("  %-15s%5d   %s", name, n, more), " ") + "\n")
	}
	full, incremental := l.madeByKind()
	line("backups made", full+incremental, "%d full, %d incremental", full, incremental)
	line("in progress", len(l.inProgress()), "cinder-backup goes on with them without us")
	line("removed", l.events(cloudsim.BackupDeleted), "%d whole chains, leaf first", l.chainsGone())
	line("failed", l.count(backup.Failed), "%s", l.failures())
	adopted, lost := l.adopted()
	line("adopted", adopted, "of %d whose answer was lost", lost)
	line("workers killed", 1, "with %d backups in progress, %d of them recorded", len(d.story.killed), d.story.recorded(l))
	line("violations", len(violations), "of %d laws:", len(invariants.Always))
	for names := range slices.Chunk(lawNames(), 3) {
		fmt.Fprintf(&b, "%25s%s\n", "", strings.Join(names, ", ")) // as wide as what stands before the words of a line
	}
	for _, v := range violations {
		fmt.Fprintf(&b, "    %s\n", v)
	}
	if err := d.say(b.String()); err != nil {
		return err
	}
	if len(violations) > 0 {
		return fmt.Errorf("check laws: %d violations, listed above; look into the logs in %s, and report this: it is a bug", len(violations), d.folder)
	}
	return nil
}

func lawNames() []string {
	names := make([]string, 0, len(invariants.Always))
	for _, law := range invariants.Always {
		names = append(names, strings.ReplaceAll(string(law), "_", " "))
	}
	return names
}

func (s *sight) madeByKind() (full, incremental int) {
	for _, e := range s.journal {
		switch {
		case e.Kind == cloudsim.BackupAvailable && e.Detail == "full":
			full++
		case e.Kind == cloudsim.BackupAvailable:
			incremental++
		}
	}
	return full, incremental
}

// chainsGone counts the chains of which nothing is left.
func (s *sight) chainsGone() (n int) {
	for volume := range s.decisions {
		for _, chain := range s.chains(volume) {
			if !slices.ContainsFunc(chain, func(r demoRecord) bool { return r.State != backup.Deleted }) {
				n++
			}
		}
	}
	return n
}

// failures says which volumes failed and why, each once.
func (s *sight) failures() string {
	why := map[string]bool{}
	for _, r := range s.records {
		if r.State == backup.Failed {
			why[fmt.Sprintf("%s: %s, the %s must act", r.name(), r.Reason, r.Reason.Whose())] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(why)), "; ")
}

// adopted counts the backups whose creation's answer was lost, and those of them that have a record.
func (s *sight) adopted() (adopted, lost int) {
	for _, id := range lostAnswers(s.journal) {
		lost++
		if _, held := s.holder(id); held {
			adopted++
		}
	}
	return adopted, lost
}

const nextSteps = `
Next, with a cloud of your own:

  . ./openrc           # with the role admin in every project, by password
  export STAFFELN_DATABASE_URL=postgres://staffeln@localhost/staffeln
  export STAFFELN_REDIS_URL=redis://localhost/0
  staffeln migrate up
  staffeln all         # or scheduler, worker and api, each as often as you like
  openstack server set --property __staffeln_backup=true SERVER

docs/configuration.md has every variable. KEEP=1 leaves the demo running, with
its page for a browser, where people see their volumes and backups.
`

// stay starts again what was ended for the laws, says how to play with everything, and waits for the end of ctx.
func (d *demo) stay(ctx context.Context) error {
	for _, m := range d.house.members {
		if !m.running() {
			if err := d.house.start(ctx, m); err != nil {
				return err
			}
		}
	}
	if err := d.house.ready(ctx); err != nil {
		return err
	}
	if err := d.say(d.playground()); err != nil {
		return err
	}
	<-ctx.Done()
	return d.say("\nEverything is taken down.\n")
}

// playground tells addresses, variables and what to try.
func (d *demo) playground() string {
	var b strings.Builder
	b.WriteString("\nEverything runs until Ctrl-C. Its addresses:\n\n")
	fmt.Fprintf(&b, "  %-12s %s\n", "cloud", d.world.url)
	for _, m := range d.house.members {
		fmt.Fprintf(&b, "  %-12s http://%s   process %d\n", m.name, m.address, m.cmd.Process.Pid)
	}
	api := d.house.named("api").address
	fmt.Fprintf(&b, "  %-12s http://%s/   sign in as %s, password %s, project %s; or as the operator with the variables below\n",
		"page", api, tenantName, tenantPassword, tenantProject)
	fmt.Fprintf(&b, "  %-12s %s\n\nIts variables (passwords in URLs are left out):\n\n", "logs", d.folder)
	for _, name := range slices.Sorted(maps.Keys(d.house.env)) {
		value := d.house.env[name]
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
  %[1]s backups   # then, as Cinder asks before somebody deletes one (False: it may not; True: it is none of ours)
  curl -X POST 'http://%[2]s/v1/backup?backup_id=ID'
  curl http://%[3]s/metrics
  curl %[4]s/cloudsim/journal
  tail -f %[5]s/worker-2.log
  kill -9 %[6]d
`, d.house.program, api, d.house.named("scheduler-1").address, d.world.url, d.folder, d.house.named("worker-1").cmd.Process.Pid)
	return b.String()
}
