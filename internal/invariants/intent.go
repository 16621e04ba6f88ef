package invariants

import (
	"slices"
	"time"
)

// A Wish is a period in which a tenant wants a volume protected: a server that uses the volume has the metadata.
type Wish struct {
	Volume, Project string
	From, To        time.Time // To is zero while the wish lasts
	// Seen is when a plan could see the wish first, and Sure when the second plan in a row could. Over is when the
	// second plan in a row could see that it ended. Zero: not yet.
	Seen, Sure, Over time.Time
}

func (w Wish) lasts(at time.Time) bool {
	return !w.From.After(at) && (w.To.IsZero() || at.Before(w.To))
}

// A Hindrance is a period in which the environment prevents Staffeln from doing something.
type Hindrance struct {
	Name            string
	Volume, Project string    // what it affects; both empty: everything
	From, To        time.Time // To is zero while the hindrance lasts
	Blind           bool      // no plan can see what tenants want
	Makes           bool      // no backup can be made
	Removes         bool      // no backup can be removed
	Shows           bool      // nothing can be shown
	Chains          bool      // others change the volume's backups, which its next backup may depend on
	// Reasons are the reasons of which at least one must be shown for a volume that is late during the hindrance.
	Reasons []string
}

func (h Hindrance) concerns(volume, project string) bool {
	return (h.Volume == "" || h.Volume == volume) && (h.Project == "" || h.Project == project)
}

// within reports whether a hindrance lasts, or ended less than the given time ago.
func (h Hindrance) within(at time.Time, ago time.Duration) bool {
	return !h.From.After(at) && (h.To.IsZero() || at.Sub(h.To) < ago)
}

// A Schedule is the backup schedule of every protected volume.
type Schedule struct {
	Interval time.Duration // between two backups
	Period   time.Duration // between two plans
	Depth    int           // incrementals after each full
	Floor    int           // newest restore points that are never removed
}

// Shown is what status and explain showed of a volume at one time.
type Shown struct {
	At     time.Time
	Volume string
	Late   bool
	// LateAfter is the age beyond which it should be shown as late; 0: that of the limits.
	LateAfter time.Duration
	Reasons   []string // with their owner, such as "quota_exceeded tenant"
}

// longestFree returns the longest time between two moments in which no matching hindrance was present.
func (c *checker) longestFree(from, to time.Time, hinders func(Hindrance) bool) (longest time.Duration) {
	for _, h := range c.Hindrances { // in order of their start
		if h.From.After(to) || !h.To.IsZero() && h.To.Before(from) || !hinders(h) {
			continue
		}
		longest = max(longest, h.From.Sub(from))
		if h.To.IsZero() {
			return longest
		}
		from = latest(from, h.To)
	}
	return max(longest, to.Sub(from))
}

func (c *checker) hindered(is func(Hindrance) bool) bool {
	return slices.ContainsFunc(c.Hindrances, is)
}

// disturbed reports whether the backups of a volume changed since then in a way that its schedule does not explain.
func (c *checker) disturbed(volume string, since time.Time) bool {
	return !c.disturbances[volume].Before(since) || c.hindered(func(h Hindrance) bool {
		return h.Chains && h.Volume == volume && (h.To.IsZero() || !h.To.Before(since))
	})
}

// wish returns the wish for a volume that lasts at this time.
func (c *checker) wish(volume string, at time.Time) (Wish, bool) {
	for _, w := range c.wishes[volume] {
		if w.lasts(at) {
			return w, true
		}
	}
	return Wish{}, false
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
