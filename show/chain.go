package show

import (
	"maps"
	"slices"
	"strings"
	"time"

	"staffeln/backup"
)

// Chain is a full and the incrementals on it, as our records know them.
type Chain struct {
	Drawing   string `json:"drawing" desc:"such as F─I─I"`
	ProjectID string `json:"project_id" desc:"the project that owns these backups"`
	Links     []Link `json:"links" desc:"the oldest first"`
}

// Link is one backup of a chain.
type Link struct {
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
	Why      Reason     `json:"why" desc:"why it stays now, or goes"`
}

// hold tells what Cinder holds by our records, in chains, and what will go.
func (v *Explanation) hold(h backup.Holding) {
	v.Chains, v.Going = []Chain{}, []Going{}
	states := map[string]backup.State{}
	for _, r := range h.Records {
		states[r.BackupID] = r.State
	}
	fate := fates(v.At, h)
	links := h.Links()
	v.Restore = v.restoreOf(links)
	for _, project := range slices.Sorted(maps.Keys(links)) {
		for _, chain := range backup.Chains(links[project]) {
			drawn := Chain{ProjectID: project}
			for _, l := range chain {
				f := fate[l.BackupID]
				drawn.Links = append(drawn.Links, Link{
					RecordID: l.RecordID, BackupID: l.BackupID, Kind: string(l.Kind), SizeGiB: l.SizeGiB, State: string(states[l.BackupID]),
					DataAt: l.DataTime, Expires: f.expires, Goes: f.goes, Going: f.going, Why: ReasonOf(f.why),
					Floor: f.why == backup.Floor || f.why == backup.FloorStandsOnIt,
				})
			}
			drawn.Drawing = draw(drawn.Links)
			v.Chains = append(v.Chains, drawn)
		}
	}
	slices.SortStableFunc(v.Chains, func(a, b Chain) int { return a.Links[0].DataAt.Compare(b.Links[0].DataAt) })
	going, kept := h.Forecast(v.At, EndOfTime)
	last := LastPoint(going, kept)
	for i, g := range going {
		v.Going = append(v.Going, Going{
			Object: v.Object, BackupID: g.BackupID, Kind: string(g.Kind), SizeGiB: g.SizeGiB, DataAt: g.DataTime,
			Expires: Expiry(g.Link), At: &g.At, Reason: ReasonOf(g.Reason), Last: i == last,
		})
	}
}

// draw draws a chain in one line.
func draw(links []Link) string {
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
