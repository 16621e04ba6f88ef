package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/evidence"
	"staffeln/internal/invariants"
)

// conclude checks the invariants over journal and tables, prints a summary, and returns an error if one is violated.
func (d *demo) conclude(last *snapshot) error {
	facts := factsOf(last, d.environment.sim)
	violations := invariants.Check(facts)
	var b strings.Builder
	fmt.Fprintf(&b, "\nThe invariants, over %d events of the cloud's journal and %d records:\n\n", len(facts.Journal), len(facts.Records))
	line := func(name string, n int, format string, args ...any) {
		more := fmt.Sprintf(format, args...)
		b.WriteString(strings.TrimRight(fmt.Sprintf("  %-15s%5d   %s", name, n, more), " ") + "\n")
	}
	full, incremental := last.madeByKind()
	line("backups made", full+incremental, "%d full, %d incremental", full, incremental)
	line("in progress", len(last.inProgress()), "cinder-backup completes them without us")
	line("removed", last.events(cloudsim.BackupDeleted), "%d whole chains, leaf first", last.chainsGone())
	line("failed", last.count(backup.Failed), "%s", last.failures())
	adopted, lost := last.adopted()
	line("adopted", adopted, "of %d whose response was lost", lost)
	line("workers killed", 1, "with %d backups in progress, %d of them recorded", len(d.scenario.killed), d.scenario.recorded(last))
	line("violations", len(violations), "of %d invariants:", len(invariants.Always))
	for names := range slices.Chunk(invariantNames(), 3) {
		fmt.Fprintf(&b, "%25s%s\n", "", strings.Join(names, ", ")) // aligned with the words of the lines above
	}
	for _, v := range violations {
		fmt.Fprintf(&b, "    %s\n", v)
	}
	if err := d.print(b.String()); err != nil {
		return err
	}
	if len(violations) > 0 {
		return fmt.Errorf("check invariants: %d violations, listed above; see the logs in %s and report this bug", len(violations), d.folder)
	}
	return nil
}

func invariantNames() []string {
	names := make([]string, 0, len(invariants.Always))
	for _, name := range invariants.Always {
		names = append(names, strings.ReplaceAll(string(name), "_", " "))
	}
	return names
}

func (s *snapshot) madeByKind() (full, incremental int) {
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

// chainsGone returns the number of chains of which nothing is left.
func (s *snapshot) chainsGone() (n int) {
	for volume := range s.decisions {
		for _, chain := range s.chains(volume) {
			if !slices.ContainsFunc(chain, func(r record) bool { return r.State != backup.Deleted }) {
				n++
			}
		}
	}
	return n
}

// failures returns which volumes failed and why, each once.
func (s *snapshot) failures() string {
	reasons := map[string]bool{}
	for _, r := range s.records {
		if r.State == backup.Failed {
			reasons[fmt.Sprintf("%s: %s, the %s must take action", r.name(), r.Reason, r.Reason.Whose())] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(reasons)), "; ")
}

// adopted returns the number of backups for which the response to the creation was lost, and how many of them have a record.
func (s *snapshot) adopted() (adopted, lost int) {
	for _, id := range lostResponses(s.journal) {
		lost++
		if _, held := s.recordOf(id); held {
			adopted++
		}
	}
	return adopted, lost
}

// factsOf returns the journal and the tables as facts for the invariants. Our backups are those of our user: nobody else
// uses this cloud.
func factsOf(s *snapshot, sim *cloudsim.Cloud) invariants.Facts {
	var f invariants.Facts
	f.Journal, f.Gone = evidence.Journal(s.journal, sim, evidence.Us{User: sim.Cast().Service})
	for _, r := range s.records {
		f.Records = append(f.Records, invariants.Record{
			ID: r.ID, Volume: r.VolumeID, Backup: r.BackupID, State: r.State, Kind: r.Kind, Reason: r.Reason,
			Retention: backup.Period{Clock: r.Retention},
		})
	}
	return f
}
