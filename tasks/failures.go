package tasks

import (
	"regexp"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"staffeln/internal/telemetry"
)

const (
	// mostFailures is how many failures of one kind of task are logged while the kind fails; the others are logged at debug.
	mostFailures = 5
	// failingTime is how long a task that failed and did not run again counts as failing.
	failingTime = time.Hour
)

// failures logs failing tasks when that begins, once for each object and cause, and when the last failing task of the kind
// succeeds again. The same failure of the same object is logged at debug. The zero value is ready.
type failures struct {
	conditions telemetry.Conditions

	mu      sync.Mutex
	failing map[string]*failing // by kind
}

type failing struct {
	objects map[string]func() time.Duration // by object: the time since the last failure
	forms   map[string]bool
}

// variableParts matches what differs between two texts with the same cause: IDs, times, numbers.
var variableParts = regexp.MustCompile(`[0-9a-fA-F]{8}[0-9a-fA-F-]{4,}|\d+`)

// failed returns the log event of a failed task of an object.
func (f *failures) failed(log *zerolog.Logger, level zerolog.Level, kind, object, cause string) *zerolog.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failing == nil {
		f.failing = map[string]*failing{}
	}
	one := f.failing[kind]
	if one == nil {
		one = &failing{objects: map[string]func() time.Duration{}, forms: map[string]bool{}}
		f.failing[kind] = one
	}
	one.objects[object] = telemetry.Stopwatch()
	form := object + " " + variableParts.ReplaceAllString(cause, "#")
	switch {
	case one.forms[form]:
	case len(one.forms) >= mostFailures:
		level = zerolog.DebugLevel
	default:
		one.forms[form] = true
	}
	return f.conditions.Met(log, level, kind, form)
}

// succeeded records that an object's task succeeded.
func (f *failures) succeeded(log *zerolog.Logger, kind, object string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := f.failing[kind]
	if one == nil {
		return
	}
	delete(one.objects, object)
	for object, since := range one.objects {
		if since() > failingTime {
			delete(one.objects, object)
		}
	}
	if len(one.objects) == 0 {
		delete(f.failing, kind)
		f.conditions.Over(log, kind).Msg("tasks of this kind succeed again")
	}
}

// anyFailing reports whether tasks of a kind fail.
func (f *failures) anyFailing(kind string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failing[kind] != nil
}
