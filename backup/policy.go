package backup

import "time"

// A Policy is the operator's rule for all volumes. The retention, which server metadata may set, belongs to each
// volume (see [Retention]).
type Policy struct {
	// Period is the service period: the grid of the plans.
	Period time.Duration
	// Interval is the minimum age of a success before the next backup; 0 makes a backup at every plan.
	Interval time.Duration
	// Depth is the number of incrementals after each full; 0 means every backup is full.
	Depth int
}

// maxRetryDelay is the longest wait for a failed leftover or a parent in use, and the longest delay between two
// attempts: one interval, but at least one period of the grid.
func (p Policy) maxRetryDelay() time.Duration { return max(p.Interval, p.Period) }

// retryDelay starts at one period and doubles, up to the interval.
func (p Policy) retryDelay(failures int) time.Duration {
	return BackOff{First: p.Period, Longest: p.maxRetryDelay()}.Pause(failures)
}
