package view

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// Chain is a full and the incrementals that depend on it, by our records.
type Chain struct {
	Drawing   string `json:"drawing" desc:"such as F─I─I"`
	ProjectID string `json:"project_id" desc:"the project that owns these backups"`
	Links     []Link `json:"links" desc:"the oldest first"`
}

// Link is one backup of a chain.
type Link struct {
	RecordID  string     `json:"record_id" desc:"ours"`
	BackupID  string     `json:"backup_id" desc:"Cinder's"`
	Name      string     `json:"backup_name" desc:"its name in Cinder"`
	Kind      string     `json:"kind" desc:"full or incremental"`
	SizeGiB   int        `json:"size_gib" desc:"of the volume, when it was backed up"`
	State     string     `json:"state" desc:"of the record"`
	DataAt    time.Time  `json:"data_at" desc:"the time of its data"`
	Expires   *time.Time `json:"expires_at" desc:"the end of its own retention; null: not known, it is kept"`
	Floor     bool       `json:"floor" desc:"it is always kept (newest), or a newer restore point that is always kept needs it"`
	KeptUntil *time.Time `json:"kept_until" desc:"when the policy removes it, if no further backup is made, or since when that is due; null: it is kept"`
	Expiring  bool       `json:"expiring" desc:"it expires now"`
	Why       Reason     `json:"why" desc:"why it is kept now, or expires"`
	Restore   *Restore   `json:"restore" desc:"how it is restored; null: it cannot be restored now"`
}

// A Stretch selects chains of a volume: the newest ones until they have Links links together; 0 is all. With Before, the
// newest ones before the chain whose oldest link Before is.
type Stretch struct {
	Links  int
	Before *backup.Link
}

// addChains adds the chains that Cinder has by our records, and which backups will expire.
func (v *Explanation) addChains(h linkForecast, wanted Stretch, volume db.Volume, waits RemovalWaits) {
	v.Chains, v.Expiring, v.Links = []Chain{}, []Expiring{}, h.count
	states := make(map[string]backup.State, len(h.Records))
	for _, r := range h.Records {
		states[r.BackupID] = r.State
	}
	expiry := expiries(v.At, h.RetentionInput, h.expiring)
	links := h.Links()
	var restores map[string]*Restore
	restores, v.Restore = v.restoresOf(links)
	for _, chain := range v.listed(links, wanted) {
		drawn := Chain{ProjectID: chain[0].ProjectID}
		for _, l := range chain {
			f := expiry[l.BackupID]
			drawn.Links = append(drawn.Links, Link{
				RecordID: l.RecordID, BackupID: l.BackupID, Name: l.Name, Kind: string(l.Kind), SizeGiB: l.SizeGiB, State: string(states[l.BackupID]),
				DataAt: l.DataTime, Expires: f.expires, KeptUntil: f.removalAt, Expiring: f.expiring, Why: ReasonOf(f.reason),
				Floor:   f.reason == backup.Floor || f.reason == backup.FloorDependsOnIt,
				Restore: restores[l.BackupID],
			})
		}
		drawn.Drawing = draw(drawn.Links)
		v.Chains = append(v.Chains, drawn)
	}
	last := h.lastPoint()
	for i, g := range h.expiring {
		if wanted.Links > 0 && i >= wanted.Links {
			break
		}
		v.Expiring = append(v.Expiring, Expiring{
			Object: v.Object, BackupID: g.BackupID, BackupName: g.Name, Kind: string(g.Kind), SizeGiB: g.SizeGiB, DataAt: g.DataTime,
			Expires: Expiry(g.Link), At: new(g.Promised()), Waits: waits.due(volume, g, expiry), Reason: ReasonOf(g.Reason), Last: i == last,
		})
	}
}

// listed returns the selected chains, the oldest first.
func (v *Explanation) listed(links map[string][]backup.Link, wanted Stretch) []backup.Chain {
	var all []backup.Chain
	for _, project := range slices.Sorted(maps.Keys(links)) {
		all = append(all, backup.Chains(links[project])...)
	}
	slices.SortStableFunc(all, func(a, b backup.Chain) int { return older(a[0], b[0]) })
	end := len(all)
	if wanted.Before != nil {
		end, _ = slices.BinarySearchFunc(all, *wanted.Before, func(c backup.Chain, l backup.Link) int { return older(c[0], l) })
	}
	begin := end
	for n := 0; begin > 0 && (wanted.Links == 0 || n < wanted.Links); {
		begin--
		n += len(all[begin])
	}
	v.older, v.newer = begin > 0, end < len(all)
	return all[begin:end]
}

// older orders chains by their oldest links.
func older(a, b backup.Link) int {
	return cmp.Or(a.DataTime.Compare(b.DataTime), cmp.Compare(a.BackupID, b.BackupID))
}

// Older reports whether there are chains before the listed ones.
func (v *Explanation) Older() bool { return v.older }

// Newer reports whether there are chains after the listed ones.
func (v *Explanation) Newer() bool { return v.newer }

// draw returns a chain drawn in one line.
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

// marks are what a drawing adds to a link that is not simply a restore point.
var marks = map[backup.State]string{
	backup.Creating: "~", backup.Overdue: "~", backup.Deleting: "~", backup.Failed: "!", backup.Undeletable: "!", backup.Lost: "?",
}
