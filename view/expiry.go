package view

import (
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// EndOfTime is the last moment that JSON and people can read; forecasts end there.
var EndOfTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// RetentionInputOf returns the retention input of a volume, from its records and the pauses. Every view and report forecasts
// with it, so that "kept until" means the same everywhere.
func RetentionInputOf(set backup.Settings, v db.Volume, records []backup.Record, paused db.Pauses) backup.RetentionInput {
	return backup.RetentionInput{
		Guard: v.Guard(set), Retention: v.Retention, Records: records, Delay: set.RetentionShortenDelay.Std(),
		Paused: paused.Projects(),
	}
}

// An expiry is the forecast of one backup in Cinder: why it is kept or expires now, and when the policy removes it.
type expiry struct {
	reason    backup.Reason
	expiring  bool       // it expires now
	expires   *time.Time // the end of its own retention; nil: not known
	removalAt *time.Time // when it will be removed, if no further backup is made, or since when that is due; nil: it is kept
}

// expiries returns the expiry of each backup by its ID, from the whole forecast.
func expiries(now time.Time, h backup.RetentionInput, forecast []backup.Expiring) map[string]expiry {
	all := make(map[string]expiry, len(h.Records))
	removals, kept := h.Now(now)
	for _, r := range removals {
		all[r.BackupID] = expiry{reason: r.Reason, expiring: true, expires: Expiry(r.Link)}
	}
	for _, k := range kept {
		all[k.BackupID] = expiry{reason: k.Reason, expires: Expiry(k.Link)}
	}
	for i := range forecast {
		f := all[forecast[i].BackupID]
		f.removalAt = new(forecast[i].Promised())
		all[forecast[i].BackupID] = f
	}
	return all
}

// LastPoint returns the index of the last restore point among the expiring backups, after which the volume has none; -1 if
// a restore point is kept.
func LastPoint(forecast []backup.Expiring, kept []backup.Kept) int {
	for _, k := range kept {
		if k.Status == backup.StatusAvailable {
			return -1
		}
	}
	for i, g := range slices.Backward(forecast) {
		if g.Status == backup.StatusAvailable {
			return i
		}
	}
	return -1
}

// Expiry returns the end of a link's own retention.
func Expiry(l backup.Link) *time.Time {
	if l.Retention.IsZero() {
		return nil
	}
	end := l.Retention.After(l.DataTime)
	if end.After(EndOfTime) {
		return nil
	}
	return &end
}

// Expiring is one backup that expires, or is kept although its retention is over.
type Expiring struct {
	Object

	BackupID string `json:"backup_id" desc:"Cinder's"`

	BackupName string `json:"backup_name" desc:"its name in Cinder"`

	Kind    string       `json:"kind" desc:"full or incremental"`
	SizeGiB int          `json:"size_gib" desc:"of the volume, when it was backed up"`
	DataAt  time.Time    `json:"data_at" desc:"the time of its data"`
	Expires *time.Time   `json:"expires_at" desc:"the end of its own retention"`
	At      *time.Time   `json:"at" desc:"when it is removed, or since when that is due; null: it is kept"`
	Waits   *RemovalWait `json:"waits_for" desc:"what a removal waits for that is due; null: it is not due, or the backup is kept"`
	Reason  Reason       `json:"reason" desc:"why it expires, or is kept"`
	Last    bool         `json:"last_restore_point" desc:"after it the volume has no restore point"`
}

// ExpiringOf returns the view of a backup that is removed at that time, or kept.
func ExpiringOf(o Object, l backup.Link, at *time.Time, waits *RemovalWait, why backup.Reason, last bool) Expiring {
	return Expiring{o, l.BackupID, l.Name, string(l.Kind), l.SizeGiB, l.DataTime, Expiry(l), at, waits, ReasonOf(why), last}
}

// KeptWords returns how long a backup is kept for which no end is known, by the reason; empty if Cinder does not have it.
func KeptWords(why backup.Reason) string {
	switch why { //nolint:exhaustive // the other reasons say more in their sentences
	case "", backup.BeingCreated:
		return ""
	case backup.Floor, backup.FloorDependsOnIt:
		return "always kept"
	}
	return "kept"
}
