package simulation

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"
)

// An item is an event on the agenda: an action, or the end of one.
type item struct {
	at time.Time
	do func()
}

// enter adds the entries of a calendar to the agenda.
func (sim *simulation) enter(calendar []entry) {
	sim.t.Helper()
	for _, e := range calendar {
		clock, err := time.Parse("15:04", e.at)
		require.NoError(sim.t, err)
		at := begin.Add(time.Duration(e.day-1)*day + time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute)
		sim.plan(at, func() {
			sim.kinds[e.kind]++
			switch end := e.action(sim); {
			case end != nil && e.lasts > 0:
				sim.plan(at.Add(e.lasts), end)
			case end != nil:
				end()
			}
		})
	}
}

func (sim *simulation) plan(at time.Time, do func()) {
	i, _ := slices.BinarySearchFunc(sim.agenda, at, func(one item, at time.Time) int {
		if one.at.After(at) {
			return 1
		}
		return -1 // after those of the same time
	})
	sim.agenda = slices.Insert(sim.agenda, i, item{at, do})
}

// run lets time pass until the given time, from one event to the next.
func (sim *simulation) run(until time.Time) {
	sim.t.Helper()
	for sim.now.Before(until) {
		sim.expected.observe(sim.now)
		for len(sim.agenda) > 0 && !sim.agenda[0].at.After(sim.now) {
			do := sim.agenda[0].do
			sim.agenda = sim.agenda[1:]
			do()
			sim.expected.observe(sim.now)
		}
		if sim.now.Equal(sim.now.Truncate(sim.set.BackupServicePeriod.Std())) {
			sim.expected.plan()
		}
		sim.work()
		sim.watch = slices.DeleteFunc(sim.watch, func(done func() bool) bool { return done() })
		if sim.now.Equal(sim.now.Truncate(2 * time.Hour)) {
			sim.recordShown()
		}
		if sim.now.Equal(sim.now.Truncate(5*day)) && sim.now.After(begin) {
			sim.check()
		}
		sim.jump(until)
	}
}

// jump advances all clocks to the next event.
func (sim *simulation) jump(until time.Time) {
	sim.t.Helper()
	next := sim.now.Truncate(sim.set.BackupServicePeriod.Std()).Add(sim.set.BackupServicePeriod.Std())
	if len(sim.agenda) > 0 && sim.agenda[0].at.Before(next) {
		next = sim.agenda[0].at
	}
	if sim.workLeft() {
		step := makingTime + time.Minute
		if sim.expected.stuck() {
			step = 30 * time.Minute // because nothing can end
		}
		next = earlier(next, sim.now.Add(step))
		if change := sim.queue.NextChange(); !change.IsZero() {
			next = earlier(next, later(change, sim.now.Add(time.Minute)))
		}
	}
	sim.now = earlier(next, until)
	sim.clock.Set(sim.now)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
