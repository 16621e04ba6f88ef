package simulation

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"staffeln/internal/cloudsim"
)

var days = flag.Int("days", 60, "how many days of the calendar are simulated")

// In sixty days the RPO is kept whenever that is possible; otherwise status and explain show the delay with the reason and its
// owner. Backups are kept for their retention and then removed, and no other backups are touched.
func TestSixtyDays(t *testing.T) {
	t.Parallel()
	began := time.Now()
	sim := newSimulation(t)
	sim.enter(calendar)
	sim.enter(randomActions(sim.random, *days))
	sim.run(begin.Add(time.Duration(*days) * day))
	sim.recordShown()
	sim.check()
	sim.summarize(time.Since(began))
}

// summarize logs what happened.
func (sim *simulation) summarize(took time.Duration) {
	var kinds strings.Builder
	actions := 0
	for _, kind := range slices.Sorted(maps.Keys(sim.kinds)) {
		fmt.Fprintf(&kinds, "  %3d %s\n", sim.kinds[kind], kind)
		actions += sim.kinds[kind]
	}
	calls, made, removed, late := 0, 0, 0, 0
	for route, n := range sim.cloud.Counts() {
		if strings.Contains(route, " /volume/") {
			calls += n
		}
	}
	for _, e := range sim.cloud.Journal() {
		switch e.Kind {
		case cloudsim.BackupAvailable:
			made++
		case cloudsim.BackupDeleted:
			removed++
		}
	}
	for _, s := range sim.shown {
		if s.Late {
			late++
		}
	}
	sim.t.Logf("%d days in %s: %d turns of the scheduler, %d tasks\n%d actions:\n%s%d backups made, %d removed; %d calls to Cinder; of %d checks of a volume %d found it late",
		*days, took.Round(time.Second), sim.turns, sim.tasks, actions, &kinds, made, removed, calls, len(sim.shown), late)
}

// named replaces IDs in a text by names.
func (sim *simulation) named(text string) string {
	for _, of := range []map[string]string{sim.projects, sim.servers, sim.volumes} {
		for name, id := range of {
			text = strings.ReplaceAll(text, id, name)
		}
	}
	return text
}
