package simulation

import (
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/internal/invariants"
)

// plan records what the next plan can see.
func (x *expectations) plan() {
	for _, v := range x.volumes {
		if slices.ContainsFunc(x.hindrances, func(h *invariants.Hindrance) bool {
			return h.Blind && (h.To.IsZero() || x.now.Sub(h.To) < time.Second) && (h.Project == "" || h.Project == v.project) && (h.Volume == "" || h.Volume == v.id)
		}) {
			continue
		}
		if v.wish == nil {
			v.plansWith, v.first = 0, time.Time{}
			v.plansWithout++
			for _, w := range v.wishes {
				if w.Over.IsZero() && v.plansWithout > 1 {
					w.Over = x.now
				}
			}
		} else {
			x.see(v)
		}
		x.promise(v)
	}
}

// see records that a plan can see the request for a volume.
func (x *expectations) see(v *volume) {
	v.plansWith++
	if v.first.IsZero() {
		v.first = x.now
	}
	v.wish.Seen, v.lastSeen = v.first, x.now
	if v.plansWith == 2 {
		v.wish.Sure = x.now
	}
	asked := v.asked
	if asked == 0 { // the retention in force does not change
		asked = x.keeps(v)
	}
	if n := len(v.seen); n > 0 && v.seen[n-1].retention == asked {
		v.seen[n-1].last = x.now
	} else {
		v.seen = append(v.seen, asking{asked, x.now, x.now})
	}
}

// promise records what is promised for a volume from now on.
func (x *expectations) promise(v *volume) {
	if len(v.seen) == 0 {
		return // no plan has seen it protected
	}
	retention, floor := x.keeps(v), 0
	if v.wish != nil {
		retention, floor = v.seen[len(v.seen)-1].retention, x.set.MinRestorePoints
	}
	next := invariants.Promise{
		Volume: v.id, Project: v.project, Floor: floor, Retention: backup.Period{Clock: retention}, Longest: backup.Period{Clock: x.mayKeep(v)},
	}
	if n := len(v.promises); n > 0 {
		before := v.promises[n-1]
		same := *before
		same.From, same.To = time.Time{}, time.Time{}
		if same == next {
			return
		}
		before.To = x.now
	}
	next.From = x.now
	v.promises = append(v.promises, &next)
}

// requested returns the retentions that plans saw requested within a time before the newest wish that they saw, and the one in
// force at the beginning of that time.
func (v *volume) requested(within time.Duration) (all []time.Duration) {
	begins := v.lastSeen.Add(-within)
	for i, a := range v.seen {
		replaced := i+1 < len(v.seen) && !v.seen[i+1].first.After(begins)
		if !a.last.Before(begins) || !replaced {
			all = append(all, a.retention)
		}
	}
	return all
}

// keeps returns the lowest retention that can be in force: a shorter value waits for its delay, and the retention of an
// unprotected volume is not shortened.
func (x *expectations) keeps(v *volume) time.Duration {
	if len(v.seen) == 0 {
		return defaultRetention
	}
	return slices.Max(v.requested(x.set.RetentionShortenDelay.Std()))
}

// mayKeep returns the longest retention that can still be in force: each shorter value waits for a delay of its own.
func (x *expectations) mayKeep(v *volume) time.Duration {
	return slices.Max(append(v.requested(4*x.set.RetentionShortenDelay.Std()), x.keeps(v)))
}

// facts adds the expectations to the facts.
func (x *expectations) facts(f *invariants.Facts) {
	f.Wishes = []invariants.Wish{}
	for _, id := range x.order {
		for _, w := range x.volumes[id].wishes {
			f.Wishes = append(f.Wishes, *w)
		}
		for _, p := range x.volumes[id].promises {
			f.Promises = append(f.Promises, *p)
		}
	}
	for _, h := range x.hindrances {
		f.Hindrances = append(f.Hindrances, *h)
	}
}
