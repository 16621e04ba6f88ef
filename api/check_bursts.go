package api

import (
	"sync"
	"time"

	"staffeln/internal/telemetry"
)

const (
	burstTime = time.Minute
	// burstUsers bounds the memory: who comes as the next within the same minute is counted with the unnamed.
	burstUsers = 10_000
)

// bursts counts the refusals of each user, minute by minute.
type bursts struct {
	most int // refusals of one user within a minute that are a burst; 0 = none is

	mu      sync.Mutex
	since   func() time.Duration
	refused map[string]int
}

func newBursts(most int) *bursts {
	return &bursts{most: most, since: telemetry.Stopwatch(), refused: map[string]int{}}
}

// add counts a refusal, and tells once a minute of a user that it is one too many.
func (b *bursts) add(user string) (n int, burst bool) {
	if b.most == 0 {
		return 0, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.since() >= burstTime {
		b.since, b.refused = telemetry.Stopwatch(), map[string]int{}
	}
	if _, known := b.refused[user]; !known && len(b.refused) >= burstUsers {
		user = ""
	}
	b.refused[user]++
	return b.refused[user], b.refused[user] == b.most
}
