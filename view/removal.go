package view

import (
	"fmt"
	"time"

	"staffeln/backup"
)

// A Removal is the restore points of one volume that were removed for one reason.
type Removal struct {
	VolumeNames

	Count    int       `json:"count" desc:"restore points"`
	Early    int       `json:"early" desc:"of those: removed before the retention was over that was in force when they were made"`
	OldestAt time.Time `json:"oldest_at" desc:"the time of the oldest data"`
	NewestAt time.Time `json:"newest_at" desc:"the time of the newest data"`
	Reason   Reason    `json:"reason" desc:"why they were removed"`
	Backups  []string  `json:"backup_ids" desc:"Cinder's IDs of them"`
}

// A Gone is one restore point that was removed.
type Gone struct {
	VolumeNames

	BackupID  string
	DataTime  time.Time
	RemovedAt time.Time
	Promised  time.Time // the end of the retention that was in force when it was made
	Reason    backup.Reason
}

// early reports whether it was removed before its promised end. Manual removals by the operator do not count.
func (g Gone) early() bool {
	return g.Reason != backup.ProjectPurged && g.Reason != backup.Cancelled && g.RemovedAt.Before(g.Promised)
}

// Removals groups the removed restore points by volume and reason, in the order in which each group occurs first.
func Removals(gone []Gone) (all []Removal) {
	type key struct {
		volumeID string
		reason   backup.Reason
	}
	at := map[key]int{}
	for _, g := range gone {
		k := key{g.VolumeID, g.Reason}
		i, known := at[k]
		if !known {
			i = len(all)
			at[k] = i
			all = append(all, Removal{VolumeNames: g.VolumeNames, OldestAt: g.DataTime, NewestAt: g.DataTime, Reason: ReasonOf(g.Reason)})
		}
		r := &all[i]
		r.Count++
		if g.early() {
			r.Early++
		}
		if g.DataTime.Before(r.OldestAt) {
			r.OldestAt = g.DataTime
		}
		if g.DataTime.After(r.NewestAt) {
			r.NewestAt = g.DataTime
		}
		r.Backups = append(r.Backups, g.BackupID)
	}
	return all
}

// Facts returns how many were removed, of what time, and why.
func (r Removal) Facts() string {
	words := Plural(r.Count, "restore point", "restore points") + " removed, data of " + Clock(r.OldestAt)
	if !r.NewestAt.Equal(r.OldestAt) {
		words += " to " + Clock(r.NewestAt)
	}
	words += fmt.Sprintf(": %s (%s)", r.Reason.Sentence, r.Reason.Code)
	if r.Early > 0 {
		words += fmt.Sprintf(" %s removed before the end of the retention that was in force when they were made.", Plural(r.Early, "of them was", "of them were"))
	}
	return words
}

// Fewer is a volume with fewer restore points than are always kept, although it had them.
type Fewer struct {
	VolumeNames

	Points   int        `json:"restore_points" desc:"that can be restored"`
	Promised int        `json:"promised" desc:"MIN_RESTORE_POINTS"`
	EndedAt  *time.Time `json:"protection_ended_at" desc:"null: it is protected"`
}

// Lacks returns the volume as one with fewer restore points than promised. ok is false if it has enough, if it never had
// them, or if nothing is promised any more: its protection ended, and the grace after that is over.
func Lacks(now time.Time, o VolumeNames, points, ever, promised int, endedAt *time.Time, grace time.Duration) (f Fewer, ok bool) {
	if points >= promised || ever < promised || endedAt != nil && now.Sub(*endedAt) >= grace {
		return Fewer{}, false
	}
	return Fewer{VolumeNames: o, Points: points, Promised: promised, EndedAt: endedAt}, true
}

// Facts returns how many it has.
func (f Fewer) Facts() string {
	words := fmt.Sprintf("It has %s, and had at least %d, which are always kept.", Plural(f.Points, "restore point", "restore points"), f.Promised)
	if f.EndedAt != nil {
		words += " Its protection ended at " + Clock(*f.EndedAt) + "."
	}
	return words
}
