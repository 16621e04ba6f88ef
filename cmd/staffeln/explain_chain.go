package main

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"staffeln/backup"
)

// chainView is a full and the incrementals on it, as our records know them.
type chainView struct {
	Drawing   string     `json:"drawing" desc:"such as F─I─I"`
	ProjectID string     `json:"project_id" desc:"the project that owns these backups"`
	Links     []linkView `json:"links" desc:"the oldest first"`
}

type linkView struct {
	RecordID string     `json:"record_id" desc:"ours"`
	BackupID string     `json:"backup_id" desc:"Cinder's"`
	Kind     string     `json:"kind" desc:"full or incremental"`
	SizeGiB  int        `json:"size_gib" desc:"of the volume, when it was backed up"`
	State    string     `json:"state" desc:"of the record"`
	DataAt   time.Time  `json:"data_at" desc:"the time of its data"`
	Expires  *time.Time `json:"expires_at" desc:"the end of its own retention; null: not known, it stays"`
	Floor    bool       `json:"floor" desc:"it is always kept, or what is always kept stands on it"`
	Goes     *time.Time `json:"goes_at" desc:"when its turn to go comes by policy, if no further backup is made; null: it stays"`
	Going    bool       `json:"going" desc:"its turn is now"`
	Why      reason     `json:"why" desc:"why it stays now, or goes"`
}

// hold tells what Cinder holds by our records, in chains, and what will go.
func (v *explainView) hold(h backup.Holding) {
	v.Chains, v.Going = []chainView{}, []goingView{}
	states := map[string]backup.State{}
	for _, r := range h.Records {
		states[r.BackupID] = r.State
	}
	fate := fates(v.At, h)
	links := h.Links()
	for _, project := range slices.Sorted(maps.Keys(links)) {
		for _, chain := range backup.Chains(links[project]) {
			drawn := chainView{ProjectID: project}
			for _, l := range chain {
				f := fate[l.BackupID]
				drawn.Links = append(drawn.Links, linkView{
					RecordID: l.RecordID, BackupID: l.BackupID, Kind: string(l.Kind), SizeGiB: l.SizeGiB, State: string(states[l.BackupID]),
					DataAt: l.DataTime, Expires: f.expires, Goes: f.goes, Going: f.going, Why: reasonOf(f.why),
					Floor: f.why == backup.Floor || f.why == backup.FloorStandsOnIt,
				})
			}
			drawn.Drawing = draw(drawn.Links)
			v.Chains = append(v.Chains, drawn)
		}
	}
	slices.SortStableFunc(v.Chains, func(a, b chainView) int { return a.Links[0].DataAt.Compare(b.Links[0].DataAt) })
	going, kept := h.Forecast(v.At, endOfTime)
	last := lastPoint(going, kept)
	for i, g := range going {
		v.Going = append(v.Going, goingView{
			object: v.object, BackupID: g.BackupID, Kind: string(g.Kind), SizeGiB: g.SizeGiB, DataAt: g.DataTime,
			Expires: expiry(g.Link), At: &g.At, Reason: reasonOf(g.Reason), Last: i == last,
		})
	}
}

// draw draws a chain in one line.
func draw(links []linkView) string {
	var words []string
	for _, l := range links {
		word := map[bool]string{true: "I", false: "F"}[l.Kind == string(backup.Incremental)]
		if l.Floor {
			word = "[" + word + "]"
		}
		words = append(words, word+marks[backup.State(l.State)])
	}
	return strings.Join(words, "─")
}

// marks are what a drawing adds to a link that is no restore point at rest.
var marks = map[backup.State]string{
	backup.Creating: "~", backup.Overdue: "~", backup.Deleting: "~", backup.Failed: "!", backup.Undeletable: "!", backup.Lost: "?",
}

func (v *explainView) drawChains(s *sheet) {
	n, note := 0, ""
	for _, c := range v.Chains {
		n += len(c.Links)
		if strings.Contains(c.Drawing, "[") {
			note = "; [ ]: always kept"
		}
	}
	if n == 0 {
		s.section("CHAINS", "")
		s.line("  None: Cinder holds no backup of it that is ours.")
		return
	}
	s.section("CHAINS", plural(len(v.Chains), "chain", "chains")+" of "+plural(n, "backup", "backups")+note)
	for i, c := range v.Chains {
		if i > 0 {
			s.line("")
		}
		owner := ""
		if c.ProjectID != v.ProjectID {
			owner = "  owned by project " + c.ProjectID
		}
		s.words("  ", s.paint(strong, c.Drawing)+owner)
		s.table([]column{
			{name: "DATA OF"},
			{name: "KIND"},
			{name: "GIB", right: true},
			{name: "STATE"},
			{name: "EXPIRES"},
			{name: "NOW", flex: true, wrap: true},
		}, each(c.Links, func(l linkView) []string {
			expires, why := "not known", "stays: "
			if l.Expires != nil {
				expires = s.near(*l.Expires)
			}
			if l.Going {
				why = "goes: "
			}
			return []string{s.near(l.DataAt), short(l.Kind), strconv.Itoa(l.SizeGiB), s.state(l.State), expires, why + l.Why.Sentence}
		}), 0)
	}
}

func (v *explainView) drawGoing(s *sheet) {
	s.section("WHAT GOES, AND WHEN", "if no further backup is made; by the next passes")
	if len(v.Going) == 0 {
		s.line("  Nothing.")
		return
	}
	shown, more := first(2*glance, v.Going)
	s.table([]column{{name: "WHEN"}, {name: ""}, {name: "KIND"}, {name: "DATA OF"}, {name: "WHY", flex: true, wrap: true}},
		each(shown, func(g goingView) []string {
			why := g.Reason.Sentence
			if g.Last {
				why += s.paint(careful, " Then no restore point is left.")
			}
			return []string{s.near(*g.At), cmp.Or(map[bool]string{true: "now"}[!g.At.After(s.now)], s.ago(g.At)), short(g.Kind), s.near(g.DataAt), why}
		}), more)
}
