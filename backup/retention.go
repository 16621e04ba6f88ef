package backup

import "time"

// Bounds are the operator's rules for the retention of a volume.
type Bounds struct {
	Default Period
	// Min and Max clamp what metadata asks for; empty is no bound.
	Min, Max Period
	// ShortenDelay is how long a shorter value by metadata waits: whoever
	// steals a tenant's password must not be able to make us delete today.
	ShortenDelay time.Duration
}

// A RetentionSource says who set the value in force.
type RetentionSource string

// The sources of a retention.
const (
	FromDefault  RetentionSource = "default"
	FromMetadata RetentionSource = "metadata"
)

// Retention is how long the restore points of one volume are kept. It stays
// with the volume: a deleted server or a failed listing shortens nothing.
type Retention struct {
	// Owner is the project whose restore points it rules: the volume's own.
	Owner   string
	InForce Period
	Source  RetentionSource
	// Shorter is a shorter value that metadata asked for since ShorterSince
	// and that is not in force yet; nil when there is none.
	Shorter      *Period
	ShorterSince time.Time
	// ShorterSeen is for how long plans in a row saw it, ShorterSeenAt the
	// newest of them. It takes effect when that reaches the delay.
	ShorterSeen   time.Duration
	ShorterSeenAt time.Time
}

// Retain returns the retention in force now, after the one before (zero for a
// new volume) and what the servers ask for. A longer value takes effect at
// once; a shorter one by metadata (also by removing the key) only after the
// delay; a shorter default of the operator's at once. A value that can't be
// read leaves the one before.
func Retain(now time.Time, before Retention, w Wish, b Bounds) Retention {
	wanted, source := b.Default, FromDefault
	if w.Retention != nil {
		wanted, source = b.clamp(now, *w.Retention), FromMetadata
	}
	next := Retention{InForce: wanted, Source: source}
	switch {
	case before.InForce.IsZero():
		return next
	case w.Unreadable && before.Source == FromMetadata:
		return Retention{InForce: before.InForce, Source: before.Source}
	case !before.InForce.Longer(now, wanted):
		return next
	case source == FromDefault && before.Source == FromDefault:
		return next
	}
	since := now
	if before.Shorter != nil && !before.Shorter.Longer(now, wanted) {
		// Still waiting, for the same value or a milder one. An even shorter
		// value waits its own full delay.
		since = before.ShorterSince
	}
	if now.Sub(since) >= b.ShortenDelay {
		return next
	}
	return Retention{InForce: before.InForce, Source: before.Source, Shorter: &wanted, ShorterSince: since}
}

func (b Bounds) clamp(now time.Time, p Period) Period {
	if !b.Min.IsZero() && b.Min.Longer(now, p) {
		return b.Min
	}
	if !b.Max.IsZero() && p.Longer(now, b.Max) {
		return b.Max
	}
	return p
}

// longerEver compares two periods without a moment: by months of 30.436875
// days, the calendar's mean. Used only to pick one of several servers' wishes.
func (p Period) longerEver(q Period) bool { return p.mean() > q.mean() }

func (p Period) mean() float64 {
	return float64(p.Years*12+p.Months)*30.436875 + float64(p.Days) + p.Clock.Hours()/24
}
