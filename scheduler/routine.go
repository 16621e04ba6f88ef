package scheduler

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"staffeln/tasks"
)

// routineTime is how often a run that finds nothing new is logged at info anyway, so that the log shows that it runs.
const routineTime = time.Hour

// routine holds what each run logged last. A run that did nothing and finds the same as before is logged at debug. The zero
// value is ready.
type routine struct {
	mu   sync.Mutex
	last map[string]entry
}

type entry struct {
	found string
	at    time.Time
}

// line returns the log event of a run that ended at now. The level is info if the run did something, found something else
// than before, or was not logged at info for routineTime.
func (r *routine) line(ctx context.Context, run string, now time.Time, did bool, found ...any) *zerolog.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last == nil {
		r.last = map[string]entry{}
	}
	before, known := r.last[run]
	this := entry{fmt.Sprint(found...), now}
	log := zerolog.Ctx(ctx)
	if age := now.Sub(before.at); known && !did && this.found == before.found && age >= 0 && age < routineTime {
		return log.Debug() //nolint:zerologlint // the caller sends it
	}
	r.last[run] = this
	return log.Info() //nolint:zerologlint // the caller sends it
}

// outcomes returns which outcomes a dispatch run had, without the counts.
func outcomes(t tasks.Outcomes) []tasks.Outcome {
	var had []tasks.Outcome
	for outcome, n := range t {
		if n > 0 {
			had = append(had, outcome)
		}
	}
	slices.Sort(had)
	return had
}
