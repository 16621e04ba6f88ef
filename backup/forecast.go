package backup

import (
	"maps"
	"slices"
	"time"
)

// A RetentionInput is what our records know of one volume's backups, with all that decides how long they are
// retained. It is not what Cinder has: it is good enough for a forecast, but not for removals.
type RetentionInput struct {
	Guard

	Retention Retention
	Records   []Record
	// Delay is how long a shorter retention by metadata is delayed.
	Delay time.Duration
	// Paused are the projects in which nothing is removed before the operator resumes; "" is all projects.
	Paused []string
	// Done, once closed, ends a forecast early; it is then incomplete. Nil means never.
	Done <-chan struct{}
}

// An Expiring is a link that will expire, when, and why. The deletion itself follows in the next runs, one link of
// each chain at a time.
type Expiring struct {
	Link
	At     time.Time
	Reason Reason
	// Due is since when it is due, if At is not after the time of the forecast: it only waits to be removed. It does not
	// change from one look to the next.
	Due time.Time
}

// Promised returns the time to show: when the link will be removed, or since when that is due. It does not change while
// nothing happens.
func (e Expiring) Promised() time.Time {
	if e.Due.IsZero() {
		return e.At
	}
	return e.Due
}

// Links returns the links by the project that owns them.
func (h RetentionInput) Links() map[string][]Link {
	links := map[string][]Link{}
	for _, r := range h.Records {
		if l, ok := r.Link(h.Retention); ok {
			if r.HasForeignDependent() {
				l.Held = r.RemovalReason
			}
			if links[r.ProjectID] == nil {
				links[r.ProjectID] = make([]Link, 0, len(h.Records)) // nearly always all links belong to one project
			}
			links[r.ProjectID] = append(links[r.ProjectID], l)
		}
	}
	return links
}

// Now returns the result of [Expired] for all projects now.
func (h RetentionInput) Now(now time.Time) (removals []Removal, kept []Kept) {
	links := h.Links()
	for _, project := range slices.Sorted(maps.Keys(links)) {
		r, k := Expired(now, h.constraints(project), links[project])
		if h.paused(project) {
			for _, removal := range r {
				k = append(k, Kept{Link: removal.Link, Reason: Paused})
			}
			r = nil
		}
		removals, kept = append(removals, r...), append(kept, k...)
	}
	return removals, kept
}

// Forecast returns what expires from now until the given time, in order, and what is retained then: the result of
// [Expired] at every moment at which it changes. It costs O(n log n).
//
// It assumes that no further backup is made (each new restore point frees an older one from the floor), that backups
// being created or restored succeed, and that backups being removed are gone at once. What expired in a paused project is
// retained: nobody knows when the pause ends.
func (h RetentionInput) Forecast(now, until time.Time) (expiring []Expiring, kept []Kept) {
	links := h.Links()
	for _, project := range slices.Sorted(maps.Keys(links)) {
		g, k := h.forecast(now, until, project, links[project])
		if h.paused(project) {
			g = slices.DeleteFunc(g, func(e Expiring) bool {
				waits := e.Reason != BeingRemoved && !e.At.After(now)
				if waits {
					k = append(k, Kept{Link: e.Link, Reason: Paused})
				}
				return waits
			})
		}
		expiring, kept = append(expiring, g...), append(kept, k...)
	}
	slices.SortStableFunc(expiring, func(a, b Expiring) int { return a.At.Compare(b.At) })
	return expiring, kept
}

// Shortened returns when a delayed shorter retention takes effect, at the next plan. ok is false if there is none;
// only protected volumes have one.
func (h RetentionInput) Shortened() (at time.Time, ok bool) {
	if h.Retention.Shorter == nil || !h.Protected {
		return time.Time{}, false
	}
	if h.Retention.ShorterSeenAt.IsZero() {
		return h.Retention.ShorterSince.Add(h.Delay), true
	}
	return h.Retention.ShorterSeenAt.Add(h.Delay - h.Retention.ShorterSeen), true
}

// Earliest returns a time before which no link of the project with data of that time or later expires by its
// retention. ok is false if none ever does. The retentions are those of the records.
func (h RetentionInput) Earliest(project string, from time.Time, retentions []Period) (at time.Time, ok bool) {
	if project == h.Retention.Owner && !h.Retention.InForce.IsZero() {
		retentions = []Period{h.Retention.InForce} // a lower bound
	}
	if h.Retention.Shorter != nil {
		retentions = append(slices.Clone(retentions), *h.Retention.Shorter)
	}
	for _, p := range retentions {
		end := p.After(from)
		if p.Months != 0 || p.Years != 0 { // at the end of a month the later of two times may end earlier, on the same day
			end = end.AddDate(0, 0, -1)
		}
		if !p.IsZero() && (!ok || end.Before(at)) {
			at, ok = end, true
		}
	}
	return at, ok
}

func (h RetentionInput) paused(project string) bool {
	return slices.Contains(h.Paused, "") || slices.Contains(h.Paused, project)
}

func (h RetentionInput) constraints(project string) Constraints {
	return ConstraintsOf(project, h.Guard, h.Records)
}

func (h RetentionInput) forecast(now, until time.Time, project string, links []Link) (expiring []Expiring, kept []Kept) {
	if until.Before(now) {
		until = now
	}
	links, expiring = assumeFinished(now, links)
	c := newForecaster(h.constraints(project), links, until)
	if at, waiting := h.Shortened(); waiting && project == h.ProjectID {
		c.shorten(h, at)
	}
	expiring = append(expiring, c.run(now, h.Done)...)
	_, kept = Expired(until, c.constraints, c.left(until))
	return expiring, kept
}

// assumeFinished assumes the end of what is in progress: a backup being removed expires first, a backup being created or
// restored is available.
func assumeFinished(now time.Time, links []Link) (rest []Link, expiring []Expiring) {
	rest = make([]Link, 0, len(links))
	for _, l := range links {
		switch l.Status {
		case StatusDeleting:
			expiring = append(expiring, Expiring{l, now, BeingRemoved, l.SinceTime})
			continue
		case StatusCreating, StatusRestoring:
			l.Status = StatusAvailable
		case StatusAvailable, StatusError, StatusErrorDeleting, StatusSpoilt, StatusLost: // at rest
		}
		rest = append(rest, l)
	}
	slices.SortFunc(expiring, func(a, b Expiring) int { return earlier(a.Link, b.Link) })
	return rest, expiring
}
