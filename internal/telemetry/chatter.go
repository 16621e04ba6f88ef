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
	log   zerolog.Logger
	quiet time.Duration

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

// NewChatter returns a Chatter. A kind of line ends when it has not occurred for the time quiet.
func NewChatter(log zerolog.Logger, quiet time.Duration) *Chatter {
	return &Chatter{log: log, quiet: quiet, kinds: map[string]*kind{}}
}

// Say logs a line of a kind. The library's text is the field said; m has our messages.
func (c *Chatter) Say(level zerolog.Level, name, said string, m Meaning) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kinds[name] == nil && len(c.kinds) >= maxKinds {
		name = "other"
	}
	one := c.kinds[name]
	if one == nil {
		one = &kind{lasts: Stopwatch()}
		one.over = time.AfterFunc(c.quiet, func() { c.end(name, m) })
		c.kinds[name] = one
	} else {
		level = zerolog.DebugLevel
		one.over.Reset(c.quiet)
	}
	one.times++
	e := c.log.WithLevel(level).Str("said", said)
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
	c.log.Info().Dur("duration", max(0, one.lasts()-c.quiet)).Int("times", one.times).Msg(m.Ends)
}
