package telemetry

import (
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Conditions logs a lasting condition when it begins and when it ends. In between, repetitions are logged at debug. The zero
// value is ready to use; it is safe for concurrent use.
type Conditions struct {
	mu  sync.Mutex
	met map[string]*condition
}

// condition is a condition that holds.
type condition struct {
	lasts func() time.Duration
	times int
	forms map[string]bool
	worse bool // was logged as an error
}

// lasting is how long a warning must hold to become an error.
const lasting = 5 * time.Minute

// Met returns the log event of a condition that holds now. Its level is the given one if the condition begins, or if its form
// (another cause or object) is new since it began; otherwise debug. The caller adds fields and the message.
func (c *Conditions) Met(log *zerolog.Logger, level zerolog.Level, name, form string) *zerolog.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return log.WithLevel(c.meet(level, name, form).level) //nolint:zerologlint // the caller sends it
}

// MetLasting is Met for conditions that are checked periodically: a warning that still holds after five minutes is logged once
// more, as an error.
func (c *Conditions) MetLasting(log *zerolog.Logger, level zerolog.Level, name, form string) *zerolog.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.meet(level, name, form)
	if m.worse || m.lasts() < lasting {
		return log.WithLevel(m.level) //nolint:zerologlint // the caller sends it
	}
	m.worse = true
	return log.Error().Float64("duration_seconds", m.lasts().Seconds()).Int("times", m.times) //nolint:zerologlint // the caller sends it
}

// meeting is a condition that was met, and the level of its log event.
type meeting struct {
	*condition
	level zerolog.Level
}

func (c *Conditions) meet(level zerolog.Level, name, form string) meeting {
	if c.met == nil {
		c.met = map[string]*condition{}
	}
	one := c.met[name]
	if one == nil {
		one = &condition{lasts: Stopwatch(), forms: map[string]bool{}}
		c.met[name] = one
	}
	one.times++
	if one.forms[form] || len(one.forms) >= maxForms {
		level = zerolog.DebugLevel
	} else {
		one.forms[form] = true
	}
	one.worse = one.worse || level == zerolog.ErrorLevel
	return meeting{one, level}
}

// maxForms is the maximum number of forms of one condition that are logged.
const maxForms = 20

// Over returns the log event of a condition that ended, at info, with its duration and how often it was met. It returns nil,
// which logs nothing, if the condition did not hold.
func (c *Conditions) Over(log *zerolog.Logger, name string) *zerolog.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.met[name]
	if one == nil {
		return nil
	}
	delete(c.met, name)
	return log.Info().Float64("duration_seconds", one.lasts().Seconds()).Int("times", one.times) //nolint:zerologlint // the caller sends it
}

// Holds reports whether the condition was met and has not ended.
func (c *Conditions) Holds(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.met[name] != nil
}
