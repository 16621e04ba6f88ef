package backup

import "time"

// A Policy is the operator's rule for all volumes; the retention, which server
// metadata may set, is a volume's own (see [Retention]).
type Policy struct {
	// Period is the service period: the grid on which beats lie.
	Period time.Duration
	// Interval is the least age of a success before the next backup; 0 makes
	// one at every plan.
	Interval time.Duration
	// Depth is the number of incrementals after each full; 0 = always full.
	Depth int
}

// patience is how long a failed leftover or a busy parent is waited for, and
// the longest delay between two attempts: one interval, and never less than
// one beat of the grid.
func (p Policy) maxRetryDelay() time.Duration { return max(p.Interval, p.Period) }

// retryDelay grows from one period by doubling, inside the interval.
func (p Policy) retryDelay(failures int) time.Duration {
	return BackOff{First: p.Period, Longest: p.maxRetryDelay()}.Pause(failures)
}
