package backup

import "time"

// Bounds are the operator's rules for the retention of a volume.
type Bounds struct {
	Default Period
	// Min and Max clamp the retention by metadata; empty means no limit.
	Min, Max Period
	// ShortenDelay is for how long plans must see a shorter retention by metadata before it takes effect. It protects
	// against an attacker who shortens the retention with a stolen tenant password.
	ShortenDelay time.Duration
	// Gap is the most that the time between two plans counts towards the delay; 0 means all of it. Without a plan
	// nobody saw the value.
	Gap time.Duration
}

// A RetentionSource is where the value in force comes from.
type RetentionSource string

// The sources of a retention.
const (
	FromDefault  RetentionSource = "default"
	FromMetadata RetentionSource = "metadata"
)

// Retention is how long the restore points of one volume are retained. It is stored with the volume: a deleted server
// or a failed listing does not shorten it.
type Retention struct {
	// Owner is the project whose restore points it applies to: the project that owns the volume.
	Owner string
	// Since is when the volume was transferred from another project; nil if never. Restore points that its owner had
	// made before keep at least the retention that they had then.
	Since   *time.Time
	InForce Period
	Source  RetentionSource
	// Shorter is a shorter value that metadata requests since ShorterSince and that is not in force yet; nil if there is
	// none.
	Shorter      *Period
	ShorterSince time.Time
	// ShorterSeen is for how long plans in a row saw it; ShorterSeenAt is the newest of them. The value takes effect
	// when ShorterSeen reaches the delay.
	ShorterSeen   time.Duration
	ShorterSeenAt time.Time
}

// For returns how long r is retained. A record of another project keeps its own retention, which the transfer raised
// to the one in force at that time. A record from before the volume came back also keeps its own, if that is longer.
func (t Retention) For(r Record) Period {
	switch {
	case t.InForce.IsZero() || t.Owner != r.ProjectID:
		return r.Retention
	case t.Since != nil && r.PlannedAt.Before(*t.Since) && r.Retention.Longer(r.HappenedAt(), t.InForce):
		return r.Retention
	}
	return t.InForce
}

// Of returns t for a volume of this project: a transferred volume starts a new retention.
func (t Retention) Of(project string) Retention {
	if t.Owner != "" && t.Owner != project {
		return Retention{Owner: project}
	}
	t.Owner = project
	return t
}

// WithoutShorter returns t after a plan that saw no shorter value, for example because the volume was unprotected: the next
// shorter value waits for the full delay.
func (t Retention) WithoutShorter() Retention {
	t.Shorter, t.ShorterSince, t.ShorterSeen, t.ShorterSeenAt = nil, time.Time{}, 0, time.Time{}
	return t
}

// Retain returns the retention in force now, from the one before (zero for a new volume) and what the servers
// request. A longer value takes effect at once. A shorter one by metadata (also by removing the key) takes effect
// only after plans in a row saw it, or an even shorter one, for the delay. A shorter default of the operator takes
// effect at once. A value that can't be parsed changes nothing.
func Retain(now time.Time, before Retention, w Wish, b Bounds) Retention {
	before = before.Of(w.Volume.ProjectID)
	wanted, source := b.Default, FromDefault
	if w.Retention != nil {
		wanted, source = b.clamp(now, *w.Retention), FromMetadata
	}
	next := Retention{Owner: before.Owner, Since: before.Since, InForce: wanted, Source: source}
	switch {
	case before.InForce.IsZero():
		return next
	case w.Unreadable && before.Source == FromMetadata:
		return before.WithoutShorter()
	case !before.InForce.Longer(now, wanted):
		return next
	case source == FromDefault && before.Source == FromDefault:
		return next
	}
	after := before
	if before.Shorter == nil || before.Shorter.Longer(now, wanted) {
		// An even shorter value waits for its own full delay.
		after.ShorterSince, after.ShorterSeen = now, 0
	} else {
		after.ShorterSeen += b.seen(now, before.ShorterSeenAt)
	}
	if after.ShorterSeen >= b.ShortenDelay {
		return next
	}
	after.Shorter, after.ShorterSeenAt = &wanted, now
	return after
}

// seen returns how much of the time since the newest plan that saw a shorter value counts; 0 if the clock was set
// back.
func (b Bounds) seen(now, before time.Time) time.Duration {
	switch d := now.Sub(before); {
	case before.IsZero() || d < 0:
		return 0
	case b.Gap > 0:
		return min(d, b.Gap)
	default:
		return d
	}
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

// longerOnAverage compares two periods independently of a date, with the calendar's mean month of 30.436875 days. It is
// only used to choose among the requests of several servers.
func (p Period) longerOnAverage(q Period) bool { return p.mean() > q.mean() }

func (p Period) mean() float64 {
	return float64(p.Years*12+p.Months)*30.436875 + float64(p.Days) + p.Clock.Hours()/24
}
