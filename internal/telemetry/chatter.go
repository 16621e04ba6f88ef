package telemetry

import (
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// A Chatter logs what a library of others says of its own accord, which may be the same line a thousand times: each kind of
// line when it is said first, at debug when it is said again, and once more when it was not said for a while. It may be
// used from several goroutines.
type Chatter struct {
	log   zerolog.Logger
	quiet time.Duration

	mu    sync.Mutex
	kinds map[string]*kind
}

// kind is lines that are the same but for what varies in them.
type kind struct {
	lasts func() time.Duration
	times int
	over  *time.Timer
}

// mostKinds bounds how many kinds of lines are told apart; all others are one.
const mostKinds = 20

// NewChatter returns one that takes a kind of line for ended when it was not said for so long.
func NewChatter(log zerolog.Logger, quiet time.Duration) *Chatter {
	return &Chatter{log: log, quiet: quiet, kinds: map[string]*kind{}}
}

// Say logs a line of a kind. What it means and how it ends are the messages of ours; detail is what to do, if anything.
func (c *Chatter) Say(level zerolog.Level, name, said string, m Meaning) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kinds[name] == nil && len(c.kinds) >= mostKinds {
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

// Meaning is a kind of line in our words.
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
