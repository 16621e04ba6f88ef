package telemetry

import (
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// A Chatter logs the messages of a third-party library, which may repeat the same line thousands of times. It logs the first
// line of a kind at its level, repetitions at debug, and one line when the kind has not occurred for a while. It is safe for
// concurrent use.
type Chatter struct {
	log      zerolog.Logger
	endAfter time.Duration

	mu    sync.Mutex
	kinds map[string]*kind
}

// kind is a group of lines that differ only in their variable parts.
type kind struct {
	lasts func() time.Duration
	times int
	over  *time.Timer
}

// maxKinds is the maximum number of kinds; further ones are counted as one.
const maxKinds = 20

// NewChatter returns a Chatter. A kind of line ends when it has not occurred for the time endAfter.
func NewChatter(log zerolog.Logger, endAfter time.Duration) *Chatter {
	return &Chatter{log: log, endAfter: endAfter, kinds: map[string]*kind{}}
}

// Log logs a line of a kind. The library's text is the log field event; m has our messages.
func (c *Chatter) Log(level zerolog.Level, name, event string, m Meaning) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kinds[name] == nil && len(c.kinds) >= maxKinds {
		name = "other"
	}
	one := c.kinds[name]
	if one == nil {
		one = &kind{lasts: Stopwatch()}
		one.over = time.AfterFunc(c.endAfter, func() { c.end(name, m) })
		c.kinds[name] = one
	} else {
		level = zerolog.DebugLevel
		one.over.Reset(c.endAfter)
	}
	one.times++
	e := c.log.WithLevel(level).Str("event", event)
	if m.Detail != "" {
		e = e.Str("detail", m.Detail)
	}
	e.Msg(m.Begins)
}

// Meaning holds our messages for a kind of line: when it begins and when it ends. Detail is what to do, if anything.
type Meaning struct{ Begins, Ends, Detail string }

func (c *Chatter) end(name string, m Meaning) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.kinds[name]
	if one == nil {
		return
	}
	delete(c.kinds, name)
	c.log.Info().Float64("duration_seconds", max(0, one.lasts()-c.endAfter).Seconds()).Int("times", one.times).Msg(m.Ends)
}
