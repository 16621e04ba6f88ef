package backup

import (
	"cmp"
	"slices"
	"time"
)

// A course computes when the links of one project expire. The removal of a chain's newest link changes neither the
// chains nor the floor, except where Cinder's clock once ran ahead. So when a link expires depends on its own chain
// only, and the chains are read again only after such an exception.
type course struct {
	constraints Constraints
	until       time.Time
	links       []Link      // in time order
	gone        []bool      // for each link
	ends        []time.Time // end of the retention for each link; zero if unknown
	// From shortens on, a shorter retention is in force, with these lengths and ends.
	shortens  time.Time // zero if there is none
	lengths   []Period
	shortEnds []time.Time

	place map[string]int // index in links, by backup ID
	under []bool         // links under the floor
}

// A departure is the removal of a link: when, in which turn of its chain at that moment, and from which chain.
type departure struct {
	at                time.Time
	turn, chain, link int
}

func newCourse(k Constraints, links []Link, until time.Time) *course {
	links = slices.Clone(links)
	slices.SortFunc(links, earlier)
	c := &course{
		constraints: k, until: until, links: links, gone: make([]bool, len(links)),
		ends: make([]time.Time, len(links)), place: make(map[string]int, len(links)), under: make([]bool, len(links)),
	}
	for i, l := range links {
		c.ends[i], c.place[l.BackupID] = endOf(l.Retention, l), i
	}
	return c
}

// shorten makes the shorter retention take effect at this time.
func (c *course) shorten(h RetentionInput, at time.Time) {
	records := make(map[string]Record, len(h.Records))
	for _, r := range h.Records {
		records[r.ID] = r
	}
	h.Retention.InForce = *h.Retention.Shorter
	c.shortens, c.lengths, c.shortEnds = at, make([]Period, len(c.links)), make([]time.Time, len(c.links))
	for i, l := range c.links {
		c.lengths[i] = h.Retention.For(records[l.RecordID])
		c.shortEnds[i] = endOf(c.lengths[i], l)
	}
}

func endOf(p Period, l Link) time.Time {
	if p.IsZero() {
		return time.Time{}
	}
	return p.After(l.DataTime)
}

// run returns what expires until the end, or until done is closed.
func (c *course) run(at time.Time, done <-chan struct{}) (expiring []Expiring) {
	for again := true; again; {
		select {
		case <-done:
			return expiring
		default:
		}
		again = false
		var last departure
		all := c.departures(at)
		expiring = slices.Grow(expiring, len(all))
		for _, d := range all {
			if again && (d.turn != last.turn || !d.at.Equal(last.at)) {
				break
			}
			again = c.leave(d.link) || again
			expiring, last = append(expiring, Expiring{c.link(d.link, d.at), d.at, c.why(d.link)}), d
		}
		at = last.at
	}
	return expiring
}

// departures reads the chains and returns the removals of their links from then on, in order.
func (c *course) departures(from time.Time) (all []departure) {
	chains := Chains(c.left(from))
	floor := c.constraints.Floor
	if !c.constraints.FloorUntil.IsZero() && !from.Before(c.constraints.FloorUntil) {
		floor = 0
	}
	clear(c.under)
	for id := range floorOf(chains, floor) {
		c.under[c.place[id]] = true
	}
	building := map[int]bool{}
	if c.constraints.Building {
		building = growing(chains)
	}
	all = make([]departure, 0, len(c.links))
	for i, chain := range chains {
		d := departure{at: from, turn: -1, chain: i}
		for _, l := range slices.Backward(chain) {
			d.link = c.place[l.BackupID]
			at, goes := c.expires(d.link, d.at)
			if !goes || building[i] || at.After(c.until) {
				break
			}
			d.turn++
			if at.After(d.at) {
				d.at, d.turn = at, 0
			}
			all = append(all, d)
		}
	}
	slices.SortFunc(all, func(a, b departure) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.turn, b.turn), cmp.Compare(a.chain, b.chain))
	})
	return all
}

// expires returns when a link without dependents expires, from then on; false if never. It gives for all moments what
// judgeLink gives for one.
func (c *course) expires(i int, from time.Time) (time.Time, bool) {
	l := &c.links[i]
	switch {
	case l.Foreign() || l.Held || l.Status != StatusError && l.Status != StatusAvailable:
		return from, false
	case l.Status == StatusError || c.constraints.Purged:
		return from, true
	case c.under[i] && c.constraints.FloorUntil.IsZero():
		return from, false
	case c.under[i]:
		from = latest(from, c.constraints.FloorUntil)
	}
	end := c.ends[i]
	if !c.shortens.IsZero() {
		if at := latest(from, end); !end.IsZero() && at.Before(c.shortens) {
			return at, true
		}
		from, end = latest(from, c.shortens), c.shortEnds[i]
	}
	return latest(from, end), !end.IsZero()
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (c *course) why(i int) Reason {
	switch {
	case c.links[i].Status == StatusError:
		return FailedLeftover
	case c.constraints.Purged:
		return ProjectPurged
	}
	return RetentionOver
}

// link returns a link with its retention at this time.
func (c *course) link(i int, at time.Time) Link {
	l := c.links[i]
	if !c.shortens.IsZero() && !at.Before(c.shortens) {
		l.Retention = c.lengths[i]
	}
	return l
}

// left returns the links that are not gone.
func (c *course) left(at time.Time) []Link {
	left := make([]Link, 0, len(c.links))
	for i := range c.links {
		if !c.gone[i] {
			left = append(left, c.link(i, at))
		}
	}
	return left
}

// leave removes the newest link of a chain, and reports whether the parents of other links may have changed. The
// parent of an incremental is the backup with the highest Cinder timestamp (or the highest usable one).
//
// A later link becomes the parent if its timestamp is below the removed link's but not below that of any earlier
// link, and no link in between has a timestamp as high as the removed link's.
func (c *course) leave(i int) bool {
	c.gone[i] = true
	return !c.links[i].failedFull() && c.counts(i, func(l *Link) bool { return !l.failedFull() }) ||
		c.links[i].usable() && c.counts(i, func(l *Link) bool { return l.usable() })
}

// counts reports whether that is the case among the links for which sort is true.
func (c *course) counts(i int, sort func(*Link) bool) bool {
	order := c.links[i].order()
	var highest time.Time // of the links between
	for j := i + 1; j < len(c.links); j++ {
		if c.gone[j] || !sort(&c.links[j]) {
			continue
		}
		if other := c.links[j].order(); !other.Before(order) {
			break
		} else if other.After(highest) {
			highest = other
		}
	}
	if highest.IsZero() {
		return false
	}
	for j := i - 1; j >= 0; j-- {
		if !c.gone[j] && sort(&c.links[j]) && c.links[j].order().After(highest) {
			return false
		}
	}
	return true
}
