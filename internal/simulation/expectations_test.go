package simulation

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/invariants"
)

// expectations contains what the simulation knows without the product: what tenants want for each volume, what was promised to
// them according to what plans could see, and what hindered the program. It uses nothing of the product but its settings,
// because a shared rule would mean a shared mistake.
type expectations struct {
	cloud      *cloudsim.Cloud
	set        backup.Settings
	now        time.Time
	volumes    map[string]*volume
	order      []string // IDs of volumes, in the order of their first appearance
	hindrances []*invariants.Hindrance
}

// A volume is what the simulation knows of a tenant's volume.
type volume struct {
	id, project             string
	encrypted               bool
	there                   bool
	wish                    *invariants.Wish // current wish; nil: none
	wishes                  []*invariants.Wish
	asked                   time.Duration // the retention that its servers request; 0: unreadable
	seen                    []asking      // the part of the requests that plans could see
	first, lastSeen         time.Time     // first: the first plan that saw the wish without an interruption; lastSeen: the newest plan that saw one
	plansWith, plansWithout int           // successive plans that could see a wish, or no wish
	statusEnds              func()        // ends the hindrance by its status
	promises                []*invariants.Promise
}

// asking is a retention that plans saw requested, from the first to the last time.
type asking struct {
	retention   time.Duration
	first, last time.Time
}

// begin records the beginning of hindrances; the returned function records their end.
func (x *expectations) begin(all ...invariants.Hindrance) (end func()) {
	var begun []*invariants.Hindrance
	for _, h := range all {
		h.From = x.now
		begun = append(begun, &h)
	}
	x.hindrances = append(x.hindrances, begun...)
	return func() {
		for _, h := range begun {
			h.To = x.now
		}
	}
}

// disturb records a change of a volume's backups that its next backup may depend on.
func (x *expectations) disturb(volumeID string) {
	x.begin(invariants.Hindrance{Volume: volumeID, Chains: true})()
}

// stuck reports whether the whole program is hindered now.
func (x *expectations) stuck() bool {
	return slices.ContainsFunc(x.hindrances, func(h *invariants.Hindrance) bool {
		return h.To.IsZero() && h.Project == "" && h.Volume == "" && h.Makes && h.Removes
	})
}

// observe reads the current state of the cloud.
func (x *expectations) observe(now time.Time) {
	x.now = now
	servers := map[string]cloudsim.Server{}
	for _, s := range x.cloud.Servers() {
		servers[s.ID] = s
	}
	there := map[string]bool{}
	for _, is := range x.cloud.Volumes() {
		if is.Temporary {
			continue
		}
		there[is.ID] = true
		v := x.volumes[is.ID]
		if v == nil {
			v = &volume{id: is.ID, project: is.Project, there: true, encrypted: is.Encrypted}
			x.volumes[is.ID] = v
			x.order = append(x.order, is.ID)
		}
		x.observeVolume(v, is, servers)
	}
	for _, v := range x.volumes {
		if v.there && !there[v.id] {
			v.there = false
			x.setWish(v, false)
			x.updateStatus(v, "available")
		}
	}
}

func (x *expectations) observeVolume(v *volume, is cloudsim.Volume, servers map[string]cloudsim.Server) {
	if v.project != is.Project {
		x.setWish(v, false)
		v.project, v.first = is.Project, time.Time{}
	}
	x.updateStatus(v, is.Status)
	wanted, asked, unreadable := false, time.Duration(-1), false
	for _, id := range is.Servers {
		s, known := servers[id]
		if !known || !strings.EqualFold(strings.TrimSpace(s.Metadata[x.set.BackupMetadataKey]), "true") {
			continue
		}
		wanted = true
		value, set := s.Metadata[x.set.RetentionMetadataKey]
		if !set {
			continue
		}
		if d, ok := parseDays(value); ok {
			asked = max(asked, d)
		} else {
			unreadable = true
		}
	}
	switch {
	case asked < 0 && unreadable:
		asked = 0
	case asked < 0:
		asked = defaultRetention
	}
	v.asked = asked
	x.setWish(v, wanted)
}

// updateStatus begins a hindrance if a volume's status allows no backup, and ends it if it does.
func (x *expectations) updateStatus(v *volume, status string) {
	is := status == "available" || status == "in-use" || status == "backing-up"
	switch {
	case is && v.statusEnds != nil:
		v.statusEnds()
		v.statusEnds = nil
	case !is && v.statusEnds == nil:
		v.statusEnds = x.begin(invariants.Hindrance{Name: "volume is " + status, Volume: v.id, Makes: true})
	}
}

func (x *expectations) setWish(v *volume, wanted bool) {
	switch {
	case wanted && v.wish == nil:
		v.wish, v.plansWith = &invariants.Wish{Volume: v.id, Project: v.project, From: x.now}, 0
		v.wishes = append(v.wishes, v.wish)
	case !wanted && v.wish != nil:
		v.wish.To, v.wish, v.plansWithout = x.now, nil, 0
	}
}

// parseDays parses a retention of the calendar: a number above zero and h, d or w.
func parseDays(value string) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0, false
	}
	unit := map[byte]time.Duration{'h': time.Hour, 'd': day, 'w': 7 * day}[value[len(value)-1]]
	n, err := strconv.Atoi(value[:len(value)-1])
	return time.Duration(n) * unit, err == nil && n > 0 && unit > 0
}
