package view

import (
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// EndOfTime is the last moment that JSON and people can read; forecasts end there.
var EndOfTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// RetentionInputOf returns the retention input of a volume, from its records.
func RetentionInputOf(set backup.Settings, v db.Volume, records []backup.Record) backup.RetentionInput {
	return backup.RetentionInput{
		Guard: v.Guard(set), Retention: v.Retention, Records: records, Delay: set.RetentionShortenDelay.Std(),
	}
}

// An expiry is the forecast of one backup in Cinder: why it is kept or expires now, and when the policy removes it.
type expiry struct {
	reason    backup.Reason
	expiring  bool       // it expires now
	expires   *time.Time // the end of its own retention; nil: not known
	removalAt *time.Time // when it will be removed, if no further backup is made; nil: it is kept
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
		f.removalAt = &forecast[i].At
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

	BackupID string     `json:"backup_id" desc:"Cinder's"`
	Kind     string     `json:"kind" desc:"full or incremental"`
	SizeGiB  int        `json:"size_gib" desc:"of the volume, when it was backed up"`
	DataAt   time.Time  `json:"data_at" desc:"the time of its data"`
	Expires  *time.Time `json:"expires_at" desc:"the end of its own retention"`
	At       *time.Time `json:"at" desc:"when its turn to go comes; null: it stays"`
	Reason   Reason     `json:"reason" desc:"why it goes, or stays"`
	Last     bool       `json:"last_restore_point" desc:"after it the volume has no restore point"`
}

// ExpiringOf returns the view of a backup that is removed at that time, or kept.
func ExpiringOf(o Object, l backup.Link, at *time.Time, why backup.Reason, last bool) Expiring {
	return Expiring{o, l.BackupID, string(l.Kind), l.SizeGiB, l.DataTime, Expiry(l), at, ReasonOf(why), last}
}
