package worker

import (
	"context"
	"sync"
	"time"

	"staffeln/backup"
)

// membersTime is how old a listing of members may be: of 5,000 reports that are due at once all but the first take it as
// it is. One that failed is not asked for again at once either.
const (
	membersTime = 5 * time.Minute
	missedTime  = time.Minute
)

// membersCache keeps the newest listing of members.
type membersCache struct {
	mu  sync.Mutex
	at  time.Time // by the database's clock; zero: never listed
	all map[string][]backup.Member
	err error
}

// get returns the listing as of now at most some minutes ago. While one caller lists, the others wait for it.
func (m *membersCache) get(ctx context.Context, now time.Time, list func(context.Context) (map[string][]backup.Member, error)) (map[string][]backup.Member, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	keep := membersTime
	if m.err != nil {
		keep = missedTime
	}
	if m.at.IsZero() || now.Sub(m.at) >= keep {
		all, err := list(ctx)
		if ctx.Err() != nil {
			return nil, err // of this caller alone
		}
		m.at, m.all, m.err = now, all, err
	}
	return m.all, m.err
}
