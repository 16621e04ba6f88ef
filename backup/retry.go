package backup

import "time"

// A BackOff is how the pauses between tries grow: First after the first failure, twice as long after each further one in
// a row, never longer than Longest.
type BackOff struct{ First, Longest time.Duration }

// Pause returns the pause after so many failures in a row; none counts as one.
func (b BackOff) Pause(failures int) time.Duration {
	d := b.First
	for n := 1; n < failures && d > 0; n++ {
		if d > b.Longest/2 { // before it is doubled: no failure overflows it
			return b.Longest
		}
		d *= 2
	}
	return min(d, b.Longest)
}

// Due reports whether what must not be tried before next (nil: at any time) may be tried now.
func Due(now time.Time, next *time.Time) bool { return next == nil || !now.Before(*next) }

// Due reports whether r may be tried now. A creation whose deadline has passed waits for nothing else.
func (r Record) Due(now time.Time) bool {
	return Due(now, r.NextTryAt) || r.State == Creating && r.Deadline != nil && Due(now, r.Deadline)
}

// QuotaPause is how long a full quota is left alone. People raise it or remove
// backups in hours, not minutes; every attempt before that costs Cinder a
// request and us a record. What we remove ourselves ends it early.
const QuotaPause = 6 * time.Hour
