package web

import (
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	// attemptTime is how long a failed sign-in counts.
	attemptTime = 15 * time.Minute
	// perAddress is the limit of failures per address, as a multiple of the limit per account: many users behind one
	// NAT share one address.
	perAddress = 6
	// maxAttempted bounds the memory: each entry has some hundred bytes.
	maxAttempted = 10000
)

// attempts counts failed sign-ins, by account and by address. Sign-ins that are refused here are not sent to Keystone, which
// locks an account after a number of failures. Each replica of the API counts for itself.
type attempts struct {
	most int // of one account; 0: no limit
	now  func() time.Time

	mu      sync.Mutex
	counted *lru.Cache[string, *counted] // key: account or address
}

type counted struct {
	n     int
	until time.Time
}

func newAttempts(most int, now func() time.Time) *attempts {
	kept, _ := lru.New[string, *counted](maxAttempted) // an error only if the limit is not positive
	return &attempts{most: most, now: now, counted: kept}
}

// begin counts a sign-in as failed until [attempts.succeeded] is called, so that concurrent guesses are counted too. If there
// were too many failures, it returns the time of the next allowed sign-in.
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

// succeeded undoes the count of begin, and resets the failures of the account.
func (a *attempts) succeeded(l Login, address string) {
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

// undo undoes the count of begin if Keystone did not respond.
func (a *attempts) undo(l Login, address string) {
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

// of returns the counter of a key. An expired counter restarts at 0.
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

// accountOf returns the key of a Keystone account. Names are case-insensitive.
func accountOf(l Login) string {
	return "account " + strings.ToLower(l.Domain) + "\x00" + strings.ToLower(l.User)
}

func addressOf(address string) string { return "address " + address }
