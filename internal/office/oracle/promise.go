package oracle

import "time"

// A Promise is what holds for a volume in a project from From to To (zero: still): how long each backup is kept at
// least, and how many of the newest restore points always.
type Promise struct {
	Volume, Project string
	From, To        time.Time
	Retention       time.Duration
	Floor           int
}

// Promises are those that plans could know of, of all volumes.
func (o *Oracle) Promises() (all []Promise) {
	for _, id := range o.order {
		all = append(all, o.volumes[id].vows...)
	}
	return all
}

// vow notes what is promised for a volume from now on, as a plan could see it.
func (o *Oracle) vow(v *volume) {
	if len(v.said) == 0 {
		return // nothing ever was
	}
	next := Promise{Volume: v.id, Project: v.project, From: o.now, Retention: o.keeps(v)}
	if v.protected {
		next.Retention, next.Floor = v.said[len(v.said)-1].retention, o.Floor
	}
	if n := len(v.vows); n > 0 {
		before := &v.vows[n-1]
		if before.Project == next.Project && before.Retention == next.Retention && before.Floor == next.Floor {
			return
		}
		before.To = o.now
	}
	v.vows = append(v.vows, next)
}
