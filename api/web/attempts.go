package web

import (
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	// attemptTime is for how long a failed sign-in counts.
	attemptTime = 15 * time.Minute
	// perAddress is how many times the failures of one account one address may have: an office has one.
	perAddress = 6
	// mostAttempted bounds what is remembered: some hundred bytes each.
	mostAttempted = 10000
)

// attempts count failed sign-ins, by account and by address. What is refused here is not asked of Keystone, which locks
// an account after some failures of its own. Each replica of the api counts for itself.
type attempts struct {
	most int // of one account; 0: no limit
	now  func() time.Time

	mu      sync.Mutex
	counted *lru.Cache[string, *counted] // by account and by address
}

type counted struct {
	n     int
	until time.Time
}

func newAttempts(most int, now func() time.Time) *attempts {
	kept, _ := lru.New[string, *counted](mostAttempted) // an error only where the limit is not positive
	return &attempts{most: most, now: now, counted: kept}
}

// begin counts a sign-in as failed until [attempts.worked] says otherwise, so that guesses made at once are counted too.
// Where there were too many it answers when the next one is taken.
func (a *attempts) begin(l Login, address string) (next time.Time, refused bool) {
	if a.most == 0 {
		return time.Time{}, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	account, from := a.of(accountOf(l)), a.of(addressOf(address))
	if account.n >= a.most {
		next = account.until
	}
	if from.n >= a.most*perAddress && from.until.After(next) {
		next = from.until
	}
	if !next.IsZero() {
		return next, true
	}
	account.n++
	from.n++
	return time.Time{}, false
}

// worked takes back what begin counted, and forgives the account what failed before.
func (a *attempts) worked(l Login, address string) {
	if a.most == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.of(accountOf(l)).n = 0
	if from := a.of(addressOf(address)); from.n > 0 {
		from.n--
	}
}

// unanswered takes back what begin counted: nobody knows whether it was right.
func (a *attempts) unanswered(l Login, address string) {
	if a.most == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, key := range []string{accountOf(l), addressOf(address)} {
		if c := a.of(key); c.n > 0 {
			c.n--
		}
	}
}

// of answers the count of a key; it begins anew when its time is over.
func (a *attempts) of(key string) *counted {
	now := a.now()
	c, known := a.counted.Get(key)
	if !known {
		c = new(counted)
		a.counted.Add(key, c)
	}
	if c.n == 0 || !now.Before(c.until) {
		c.n, c.until = 0, now.Add(attemptTime)
	}
	return c
}

// accountOf is one key for one account of Keystone's, whose names know no case.
func accountOf(l Login) string {
	return "account " + strings.ToLower(l.Domain) + "\x00" + strings.ToLower(l.User)
}

func addressOf(address string) string { return "address " + address }
