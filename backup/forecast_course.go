package backup

import (
	"cmp"
	"slices"
	"time"
)

// A forecaster computes when the links of one project expire. The removal of a chain's newest link changes neither the
// chains nor the floor, except where Cinder's clock once ran ahead. So when a link expires depends on its own chain
// only, and the chains are read again only after such an exception.
type forecaster struct {
	constraints Constraints
	until       time.Time
	links       []Link      // in time order
	gone        []bool      // for each link
	ends        []time.Time // end of the retention for each link; zero if unknown
	// From shortens on, a shorter retention is in force, with these lengths and ends.
	shortens  time.Time // zero if there is none
	lengths   []Period
	shortEnds []time.Time

	index      map[string]int // index in links, by backup ID
	underFloor []bool         // links under the floor
}

// A scheduledRemoval is the removal of a link: when, in which turn of its chain at that moment, and from which chain.
type scheduledRemoval struct {
	at, due           time.Time // due is what at would be without the time of the forecast
	turn, chain, link int
}

func newForecaster(k Constraints, links []Link, until time.Time) *forecaster {
	links = slices.Clone(links)
	slices.SortFunc(links, earlier)
	c := &forecaster{
		constraints: k, until: until, links: links, gone: make([]bool, len(links)),
		ends: make([]time.Time, len(links)), index: make(map[string]int, len(links)), underFloor: make([]bool, len(links)),
	}
	for i, l := range links {
		c.ends[i], c.index[l.BackupID] = retentionEnd(l.Retention, l), i
	}
	return c
}

// shorten makes the shorter retention take effect at this time.
func (c *forecaster) shorten(h RetentionInput, at time.Time) {
	records := make(map[string]Record, len(h.Records))
	for _, r := range h.Records {
		records[r.ID] = r
	}
	h.Retention.InForce = *h.Retention.Shorter
	c.shortens, c.lengths, c.shortEnds = at, make([]Period, len(c.links)), make([]time.Time, len(c.links))
	for i, l := range c.links {
		c.lengths[i] = h.Retention.For(records[l.RecordID])
		c.shortEnds[i] = retentionEnd(c.lengths[i], l)
	}
}

func retentionEnd(p Period, l Link) time.Time {
	if p.IsZero() {
		return time.Time{}
	}
	return p.After(l.DataTime)
}

// run returns what expires until the end, or until done is closed.
func (c *forecaster) run(at time.Time, done <-chan struct{}) (expiring []Expiring) {
	now := at
	for again := true; again; {
		select {
		case <-done:
			return expiring
		default:
		}
		again = false
		var last scheduledRemoval
		all := c.schedule(at)
		expiring = slices.Grow(expiring, len(all))
		for _, d := range all {
			if again && (d.turn != last.turn || !d.at.Equal(last.at)) {
				break
			}
			again = c.remove(d.link) || again
			e := Expiring{c.link(d.link, d.at), d.at, c.why(d.link), time.Time{}}
			if !e.At.After(now) {
				e.Due = d.due
			}
			expiring, last = append(expiring, e), d
		}
		at = last.at
	}
	return expiring
}

// schedule reads the chains and returns the removals of their links from then on, in order.
func (c *forecaster) schedule(from time.Time) (all []scheduledRemoval) {
	chains := Chains(c.left(from))
	clear(c.underFloor)
	for id := range floorOf(chains, c.constraints.Floor) { // also past FloorUntil: the floor was in force until then
		c.underFloor[c.index[id]] = true
	}
	building := map[int]bool{}
	if c.constraints.Building {
		building = growableChains(chains)
	}
	all = make([]scheduledRemoval, 0, len(c.links))
	for i, chain := range chains {
		d := scheduledRemoval{at: from, turn: -1, chain: i}
		for _, l := range slices.Backward(chain) {
			d.link = c.index[l.BackupID]
			at, expires := c.expires(d.link, d.at)
			if !expires || building[i] || at.After(c.until) {
				break
			}
			d.due, _ = c.expires(d.link, latest(d.due, l.SinceTime))
			d.turn++
			if at.After(d.at) {
				d.at, d.turn = at, 0
			}
			all = append(all, d)
		}
	}
	slices.SortFunc(all, func(a, b scheduledRemoval) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.turn, b.turn), cmp.Compare(a.chain, b.chain))
	})
	return all
}

// expires returns when a link without dependents expires, from then on; false if never. It gives for all moments what
// judgeLink gives for one.
func (c *forecaster) expires(i int, from time.Time) (time.Time, bool) {
	l := &c.links[i]
	switch {
	case l.Foreign() || l.Held != "" || l.Status != StatusError && l.Status != StatusAvailable:
		return from, false
	case l.Status == StatusError || c.constraints.Purged:
		return from, true
	case c.underFloor[i] && c.constraints.FloorUntil.IsZero():
		return from, false
	case c.underFloor[i]:
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

func (c *forecaster) why(i int) Reason {
	switch {
	case c.links[i].Status == StatusError:
		return FailedLeftover
	case c.constraints.Purged:
		return ProjectPurged
	}
	return RetentionOver
}

// link returns a link with its retention at this time.
func (c *forecaster) link(i int, at time.Time) Link {
	l := c.links[i]
	if !c.shortens.IsZero() && !at.Before(c.shortens) {
		l.Retention = c.lengths[i]
	}
	return l
}

// left returns the links that are not gone.
func (c *forecaster) left(at time.Time) []Link {
	left := make([]Link, 0, len(c.links))
	for i := range c.links {
		if !c.gone[i] {
			left = append(left, c.link(i, at))
		}
	}
	return left
}

// remove removes the newest link of a chain, and reports whether the parents of other links may have changed. The
// parent of an incremental is the backup with the highest Cinder timestamp (or the highest usable one).
//
// A later link becomes the parent if its timestamp is below the removed link's but not below that of any earlier
// link, and no link in between has a timestamp as high as the removed link's.
func (c *forecaster) remove(i int) bool {
	c.gone[i] = true
	return !c.links[i].failedFull() && c.changesParents(i, func(l *Link) bool { return !l.failedFull() }) ||
		c.links[i].usable() && c.changesParents(i, func(l *Link) bool { return l.usable() })
}

// changesParents reports whether that is the case among the links for which sort is true.
func (c *forecaster) changesParents(i int, sort func(*Link) bool) bool {
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
