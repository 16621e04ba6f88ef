package office

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var days = flag.Int("days", 60, "how many days of the calendar are lived through")

// Sixty days of an office: the RPO is held wherever it can be, and where it can't be that is said, with the reason and
// who must act; what is to be kept is kept, what is over goes, and nobody else's is touched.
func TestSixtyDays(t *testing.T) {
	t.Parallel()
	began := time.Now()
	o := newOffice(t)
	o.enter(calendar)
	o.enter(chances(o.dice, *days))
	o.live(begin.Add(time.Duration(*days) * day))
	o.oracle.Judge(o.said())
	o.lawful()
	o.tell(time.Since(began))
	o.complain()
	require.Empty(t, o.sim.UnknownRoutes(), "requests that cloudsim has no code for")
}

// complain tells what the oracle has found since it was asked last.
func (o *office) complain() {
	all := o.oracle.Violations()
	for _, v := range all[o.heard:] {
		o.t.Error(o.named(v))
	}
	o.heard = len(all)
}

// tell sums up what happened.
func (o *office) tell(took time.Duration) {
	var text strings.Builder
	sum := 0
	for _, kind := range slices.Sorted(maps.Keys(o.kinds)) {
		fmt.Fprintf(&text, "  %3d %s\n", o.kinds[kind], kind)
		sum += o.kinds[kind]
	}
	spans := o.oracle.Spans()
	causes, hours := map[string]int{}, 0.0
	for _, s := range spans {
		causes[strings.Join(s.Causes, ", ")]++
		hours += s.To.Sub(s.From).Hours()
	}
	fmt.Fprintf(&text, "late %d times, %.0f hours in all:\n", len(spans), hours)
	for _, cause := range slices.Sorted(maps.Keys(causes)) {
		fmt.Fprintf(&text, "  %3d %s\n", causes[cause], cause)
	}
	calls := 0
	for route, n := range o.sim.Counts() {
		if strings.Contains(route, " /volume/") {
			calls += n
		}
	}
	o.t.Logf("%d days in %s: %d turns of the scheduler, %d tasks\n%d events of the calendar:\n%s%d backups made, %d removed; %d calls to Cinder, %.1f for each backup made",
		*days, took.Round(time.Second), o.turns, o.tasks, sum, &text, o.oracle.Made(), o.oracle.Removed(), calls, float64(calls)/float64(max(1, o.oracle.Made())))
}

// named puts names in place of IDs.
func (o *office) named(text string) string {
	for _, of := range []map[string]string{o.projects, o.servers, o.volumes} {
		for name, id := range of {
			text = strings.ReplaceAll(text, id, name)
		}
	}
	return text
}
