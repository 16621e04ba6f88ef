package backup

import "time"

// Bounds are the operator's rules for the retention of a volume.
type Bounds struct {
	Default Period
	// Min and Max clamp what metadata asks for; empty is no bound.
	Min, Max Period
	// ShortenDelay is for how long plans must see a shorter value by metadata:
	// whoever steals a tenant's password must not be able to make us delete today.
	ShortenDelay time.Duration
	// Gap is the most that the time between two plans counts towards it; 0: all
	// of it. Nobody saw the value while no plan was made.
	Gap time.Duration
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
	Owner string
	// Since is when the volume came from another project; nil: never. What its
	// owner had made before keeps at least the retention that it had then.
	Since   *time.Time
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

// For returns how long r is kept. What another project owns keeps the retention
// that it was made under, which the transfer raised to the one in force then;
// so does, where that is longer, what was made before the volume came back.
func (t Retention) For(r Record) Period {
	switch {
	case t.InForce.IsZero() || t.Owner != r.ProjectID:
		return r.Retention
	case t.Since != nil && r.PlannedAt.Before(*t.Since) && r.Retention.Longer(r.dated(), t.InForce):
		return r.Retention
	}
	return t.InForce
}

// Of returns t for a volume of that project: a volume that changed hands begins
// a new retention.
func (t Retention) Of(project string) Retention {
	if t.Owner != "" && t.Owner != project {
		return Retention{Owner: project}
	}
	t.Owner = project
	return t
}

// Unseen returns t after a plan that did not see a shorter value, such as one
// that found the volume without protection: the next one waits its full delay.
func (t Retention) Unseen() Retention {
	t.Shorter, t.ShorterSince, t.ShorterSeen, t.ShorterSeenAt = nil, time.Time{}, 0, time.Time{}
	return t
}

// Retain returns the retention in force now, after the one before (zero for a
// new volume) and what the servers ask for. A longer value takes effect at
// once; a shorter one by metadata (also by removing the key) only when plans in
// a row saw it, or a milder one, for as long as the delay; a shorter default of
// the operator's at once. A value that can't be read leaves the one before.
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
		return before.Unseen()
	case !before.InForce.Longer(now, wanted):
		return next
	case source == FromDefault && before.Source == FromDefault:
		return next
	}
	after := before
	if before.Shorter == nil || before.Shorter.Longer(now, wanted) {
		// An even shorter value waits its own full delay.
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

// seen is how much of the time since the newest plan that saw a shorter value
// counts; nothing where the clock was set back.
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

// longerEver compares two periods without a moment: by months of 30.436875
// days, the calendar's mean. Used only to pick one of several servers' wishes.
func (p Period) longerEver(q Period) bool { return p.mean() > q.mean() }

func (p Period) mean() float64 {
	return float64(p.Years*12+p.Months)*30.436875 + float64(p.Days) + p.Clock.Hours()/24
}
