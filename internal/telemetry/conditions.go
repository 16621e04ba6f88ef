package telemetry

import (
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Conditions logs what lasts when it begins and when it ends, not each time that it is met: what is met again is
// written at debug. The zero value is ready; it may be used from several goroutines.
type Conditions struct {
	mu  sync.Mutex
	met map[string]*condition
}

// condition is one that lasts.
type condition struct {
	lasts func() time.Duration
	times int
	forms map[string]bool
	worse bool // an error was logged
}

// lasting is how long a condition holds before it is an error that was a warning.
const lasting = 5 * time.Minute

// Met returns the line of a condition that holds now: at the given level if it begins, or has a form that was not met
// since it began (another cause, or another object), else at debug. The caller adds fields and the message.
func (c *Conditions) Met(log *zerolog.Logger, level zerolog.Level, name, form string) *zerolog.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return log.WithLevel(c.meet(level, name, form).level) //nolint:zerologlint // the caller sends it
}

// MetLasting is as Met, for what is looked at again and again: a warning that still holds after five minutes is logged
// once more, as an error.
func (c *Conditions) MetLasting(log *zerolog.Logger, level zerolog.Level, name, form string) *zerolog.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.meet(level, name, form)
	if m.worse || m.lasts() < lasting {
		return log.WithLevel(m.level) //nolint:zerologlint // the caller sends it
	}
	m.worse = true
	return log.Error().Dur("duration", m.lasts()).Int("times", m.times) //nolint:zerologlint // the caller sends it
}

// meeting is a condition that was met, and the level of its line.
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
	if one.forms[form] || len(one.forms) >= mostForms {
		level = zerolog.DebugLevel
	} else {
		one.forms[form] = true
	}
	one.worse = one.worse || level == zerolog.ErrorLevel
	return meeting{one, level}
}

// mostForms bounds how many forms of one condition are logged.
const mostForms = 20

// Over returns the line of a condition that ended, with how long it lasted and how often it was met, at info. Where it
// did not hold, the line is none, and nothing is written.
func (c *Conditions) Over(log *zerolog.Logger, name string) *zerolog.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.met[name]
	if one == nil {
		return nil
	}
	delete(c.met, name)
	return log.Info().Dur("duration", one.lasts()).Int("times", one.times) //nolint:zerologlint // the caller sends it
}

// Holds reports whether the condition was met and is not over.
func (c *Conditions) Holds(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.met[name] != nil
}
