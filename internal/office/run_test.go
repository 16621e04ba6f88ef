package office

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"
)

// An item is what the agenda has for a moment: a deed, or the end of one that lasts.
type item struct {
	at time.Time
	do func()
}

// enter puts the entries of a calendar on the agenda.
func (o *office) enter(calendar []entry) {
	o.t.Helper()
	for _, e := range calendar {
		clock, err := time.Parse("15:04", e.at)
		require.NoError(o.t, err)
		at := begin.Add(time.Duration(e.day-1)*day + time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute)
		o.plan(at, func() {
			o.kinds[e.kind]++
			switch end := e.deed(o); {
			case end != nil && e.lasts > 0:
				o.plan(at.Add(e.lasts), end)
			case end != nil:
				end()
			}
		})
	}
}

func (o *office) plan(at time.Time, do func()) {
	i, _ := slices.BinarySearchFunc(o.agenda, at, func(one item, at time.Time) int {
		if one.at.After(at) {
			return 1
		}
		return -1 // behind those of the same moment
	})
	o.agenda = slices.Insert(o.agenda, i, item{at, do})
}

// live lets time pass until the given moment, from one event to the next.
func (o *office) live(until time.Time) {
	o.t.Helper()
	for o.now.Before(until) {
		o.oracle.Look(o.now)
		for len(o.agenda) > 0 && !o.agenda[0].at.After(o.now) {
			do := o.agenda[0].do
			o.agenda = o.agenda[1:]
			do()
			o.oracle.Look(o.now)
		}
		if o.now.Equal(o.now.Truncate(o.set.BackupServicePeriod.Std())) {
			o.oracle.Plan()
		}
		o.oracle.Follow() // what people did
		o.work()
		o.watch = slices.DeleteFunc(o.watch, func(done func() bool) bool { return done() })
		o.oracle.Follow()
		if o.now.Equal(o.now.Truncate(2 * time.Hour)) {
			o.oracle.Judge(o.said())
			o.complain()
		}
		if o.now.Equal(o.now.Truncate(5*day)) && o.now.After(begin) {
			o.lawful()
		}
		o.jump(until)
	}
}

// jump moves all clocks to the next event.
func (o *office) jump(until time.Time) {
	o.t.Helper()
	next := o.now.Truncate(o.set.BackupServicePeriod.Std()).Add(o.set.BackupServicePeriod.Std())
	if len(o.agenda) > 0 && o.agenda[0].at.Before(next) {
		next = o.agenda[0].at
	}
	if o.busy() {
		look := makingTime + time.Minute
		if o.oracle.Stuck() {
			look = 30 * time.Minute // nothing ends meanwhile
		}
		next = earlier(next, o.now.Add(look))
		if change := o.queue.NextChange(); !change.IsZero() {
			next = earlier(next, later(change, o.now.Add(time.Minute)))
		}
	}
	o.now = earlier(next, until)
	o.clock.Set(o.now)
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
