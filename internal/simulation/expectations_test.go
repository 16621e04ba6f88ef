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

// expectations are what the simulation knows without asking the product: what tenants want of each volume, what was
// promised to them by what plans could see, and what kept the program from its work. Who shares a rule with the product
// shares its mistake: of the product it uses the settings only.
type expectations struct {
	cloud      *cloudsim.Cloud
	set        backup.Settings
	now        time.Time
	volumes    map[string]*volume
	order      []string // of volumes, as they were seen first
	hindrances []*invariants.Hindrance
}

// A volume is what its tenant has and wants.
type volume struct {
	id, project     string
	encrypted       bool
	there           bool
	wish            *invariants.Wish // that lasts; nil: none
	wishes          []*invariants.Wish
	asked           time.Duration // the retention that its servers ask for; 0: what can't be read
	seen            []asking      // what plans could see of that
	first, lastSeen time.Time     // the first plan that saw a wish, of those that saw none end since; the newest
	looks, blind    int           // plans in a row that could see a wish, and that could see none
	busy            func()        // ends the hindrance that its status is
	promises        []*invariants.Promise
}

// asking is a retention that plans saw asked for from the first to the last time.
type asking struct {
	retention   time.Duration
	first, last time.Time
}

// begin notes hindrances that begin; the function that it returns notes their end.
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

// disturb notes something that is done to the backups of a volume, and that its next one may depend on.
func (x *expectations) disturb(volumeID string) {
	x.begin(invariants.Hindrance{Volume: volumeID, Chains: true})()
}

// stuck reports whether nothing at all can go on at this moment.
func (x *expectations) stuck() bool {
	return slices.ContainsFunc(x.hindrances, func(h *invariants.Hindrance) bool {
		return h.To.IsZero() && h.Project == "" && h.Volume == "" && h.Makes && h.Removes
	})
}

// look reads from the cloud what it has at a moment.
func (x *expectations) look(now time.Time) {
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
		x.lookAt(v, is, servers)
	}
	for _, v := range x.volumes {
		if v.there && !there[v.id] {
			v.there = false
			x.wants(v, false)
			x.ready(v, "available")
		}
	}
}

func (x *expectations) lookAt(v *volume, is cloudsim.Volume, servers map[string]cloudsim.Server) {
	if v.project != is.Project {
		x.wants(v, false)
		v.project, v.first = is.Project, time.Time{}
	}
	x.ready(v, is.Status)
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
	x.wants(v, wanted)
}

// ready notes that no backup of a volume can be made while its status is another.
func (x *expectations) ready(v *volume, status string) {
	is := status == "available" || status == "in-use" || status == "backing-up"
	switch {
	case is && v.busy != nil:
		v.busy()
		v.busy = nil
	case !is && v.busy == nil:
		v.busy = x.begin(invariants.Hindrance{Name: "volume is " + status, Volume: v.id, Makes: true})
	}
}

func (x *expectations) wants(v *volume, wanted bool) {
	switch {
	case wanted && v.wish == nil:
		v.wish, v.looks = &invariants.Wish{Volume: v.id, Project: v.project, From: x.now}, 0
		v.wishes = append(v.wishes, v.wish)
	case !wanted && v.wish != nil:
		v.wish.To, v.wish, v.blind = x.now, nil, 0
	}
}

// parseDays reads a retention as people write it here: a number and h, d or w, above zero.
func parseDays(value string) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0, false
	}
	unit := map[byte]time.Duration{'h': time.Hour, 'd': day, 'w': 7 * day}[value[len(value)-1]]
	n, err := strconv.Atoi(value[:len(value)-1])
	return time.Duration(n) * unit, err == nil && n > 0 && unit > 0
}
