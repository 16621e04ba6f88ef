package oracle

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"staffeln/internal/cloudsim"
)

// A volume is what its tenant has and wants.
type volume struct {
	id, name, project, status string
	encrypted, there          bool
	size                      int
	protected                 bool
	since                     time.Time // when it became protected, in this project
	unprotected               time.Time // when it was last seen to be so; zero: never protected
	transferred               time.Time
	former                    time.Duration // the retention that its former project asked for last

	held     []*backup     // what Cinder has of it, whoever made it
	asked    time.Duration // what its servers ask for now; 0: what can't be read
	said     []asking      // what plans could see of that
	lastSeen time.Time     // when a plan could see last that it was protected
	looks    int           // plans in a row that could see it protected
	first    time.Time     // the first plan that saw it protected, of those that never saw it otherwise since
	blind    int           // plans since it is protected no longer

	heldUp  time.Time // when something kept a backup from being made last
	causes  []string  // of that, since the newest restore point
	pointed time.Time // data of the newest restore point when causes were counted
	grey    time.Time // until when the program can't know that a restore point is gone
	shaken  time.Time // when something happened to its chain last that the depth does not explain
	vows    []Promise
	late    time.Time // since when it is late; zero: it is not
}

// asking is a retention that plans saw asked for from the first to the last time.
type asking struct {
	retention   time.Duration
	first, last time.Time
}

func (v *volume) ready() bool {
	return v.status == "available" || v.status == "in-use" || v.status == "backing-up"
}

func (v *volume) hindered(at time.Time, cause string) {
	v.heldUp = at
	if !slices.Contains(v.causes, cause) {
		v.causes = append(v.causes, cause)
	}
}

// Look sees the cloud as it is at a moment.
func (o *Oracle) Look(now time.Time) {
	o.now = now
	servers := map[string]cloudsim.Server{}
	for _, s := range o.cloud.Servers() {
		servers[s.ID] = s
	}
	there := map[string]bool{}
	for _, is := range o.cloud.Volumes() {
		if is.Temporary {
			continue
		}
		there[is.ID] = true
		v := o.volumes[is.ID]
		if v == nil {
			v = &volume{id: is.ID, project: is.Project, there: true}
			o.volumes[is.ID] = v
			o.order = append(o.order, is.ID)
		}
		o.sight(v, is, servers)
	}
	for _, v := range o.volumes {
		if v.there && !there[v.id] {
			v.there = false
			o.protect(v, false)
		}
	}
	o.suffer()
}

func (o *Oracle) sight(v *volume, is cloudsim.Volume, servers map[string]cloudsim.Server) {
	v.name, v.status, v.size, v.encrypted = is.Name, is.Status, is.SizeGiB, is.Encrypted
	if v.project != is.Project {
		v.former = o.keeps(v)
		v.project, v.transferred, v.protected, v.first = is.Project, o.now, false, time.Time{}
	}
	protected, asked, unreadable := false, time.Duration(-1), false
	for _, id := range is.Servers {
		s, known := servers[id]
		if !known || !strings.EqualFold(strings.TrimSpace(s.Metadata[o.BackupKey]), "true") {
			continue
		}
		protected = true
		value, set := s.Metadata[o.RetentionKey]
		if !set {
			continue
		}
		if d, ok := days(value); ok {
			asked = max(asked, d)
		} else {
			unreadable = true
		}
	}
	switch {
	case asked < 0 && unreadable:
		asked = 0
	case asked < 0:
		asked = o.Retention
	}
	v.asked = asked
	o.protect(v, protected)
}

func (o *Oracle) protect(v *volume, protected bool) {
	switch {
	case protected && !v.protected:
		v.since, v.looks = o.now, 0
	case !protected && v.protected:
		v.unprotected, v.blind = o.now, 0
		o.endLate(v)
	}
	v.protected = protected
}

// days reads a retention as people write it here: a number and h, d or w, above zero.
func days(value string) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0, false
	}
	unit := map[byte]time.Duration{'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[value[len(value)-1]]
	n, err := strconv.Atoi(value[:len(value)-1])
	return time.Duration(n) * unit, err == nil && n > 0 && unit > 0
}

// Plan says that the scheduler is about to look: what is asked for now is known from now on, if it can be seen.
func (o *Oracle) Plan() {
	for _, v := range o.volumes {
		if o.hit(time.Second, func(t *Trouble) bool { return t.Stops.Looks && t.strikes(v) }) {
			continue
		}
		if !v.protected {
			v.looks, v.first = 0, time.Time{}
			v.blind++
			o.vow(v)
			continue
		}
		v.looks++
		v.first = or(v.first, o.now)
		v.lastSeen = o.now
		asked := v.asked
		n := len(v.said)
		if asked == 0 { // what is in force stays so
			asked = o.keeps(v)
		}
		if n > 0 && v.said[n-1].retention == asked {
			v.said[n-1].last = o.now
		} else {
			v.said = append(v.said, asking{asked, o.now, o.now})
		}
		o.vow(v)
	}
}

// heard are the retentions that plans saw asked for within a time before the volume was last seen protected, and the
// one that held when that time began.
func (v *volume) heard(within time.Duration) (all []time.Duration) {
	for i, a := range v.said {
		begins := v.lastSeen.Add(-within)
		next := i+1 < len(v.said) && !v.said[i+1].first.After(begins)
		if !a.last.Before(begins) || !next {
			all = append(all, a.retention)
		}
	}
	return all
}

// keeps is the least retention that is in force: a shorter value waits for its delay, and nothing shortens what is
// protected no longer.
func (o *Oracle) keeps(v *volume) time.Duration {
	if len(v.said) == 0 {
		return o.Retention
	}
	return slices.Max(append(v.heard(o.ShortenDelay), 0))
}

// mayKeep is the longest retention that may be in force still: each shorter value waits anew.
func (o *Oracle) mayKeep(v *volume) time.Duration {
	return slices.Max(append(v.heard(4*o.ShortenDelay), o.keeps(v)))
}
