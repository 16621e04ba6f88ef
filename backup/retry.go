package backup

import "time"

// A BackOff defines the pauses between attempts: First after the first failure, doubled after each further failure in
// a row, at most Longest.
type BackOff struct{ First, Longest time.Duration }

// Pause returns the pause after this many failures in a row; 0 counts as 1.
func (b BackOff) Pause(failures int) time.Duration {
	d := b.First
	for n := 1; n < failures && d > 0; n++ {
		if d > b.Longest/2 { // checked before doubling, so that d never overflows
			return b.Longest
		}
		d *= 2
	}
	return min(d, b.Longest)
}

// Due reports whether an attempt that must not happen before next may happen now. Nil means at any time.
func Due(now time.Time, next *time.Time) bool { return next == nil || !now.Before(*next) }

// Due reports whether r may be tried now. A creation past its deadline does not wait for its next attempt.
func (r Record) Due(now time.Time) bool {
	return Due(now, r.NextTryAt) || r.State == Creating && r.Deadline != nil && Due(now, r.Deadline)
}

// QuotaPause is the wait after an exceeded quota. People raise a quota or delete backups within hours, not minutes,
// and each earlier attempt costs Cinder a request and us a record. Our own removals, and a plan that finds free quota, end the wait early.
const QuotaPause = 6 * time.Hour
