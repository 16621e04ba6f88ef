package main

import (
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// endOfTime is the last moment that JSON and people can read; nothing is looked for beyond.
var endOfTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// holdingOf shows a volume's records as what they say that Cinder holds.
func holdingOf(set backup.Settings, v db.Volume, records []backup.Record) backup.Holding {
	return backup.Holding{
		Volume: v.AsOf(), Protected: v.Protected, Retention: v.Retention, Records: records,
		Floor: set.MinRestorePoints, Delay: set.RetentionShortenDelay.Std(),
	}
}

// A fate is what becomes of one backup in Cinder: why it stays or goes now, and when its turn to go comes by policy.
type fate struct {
	link    backup.Link
	why     backup.Reason
	going   bool       // now
	expires *time.Time // the end of its own retention; nil: not known
	goes    *time.Time // when it will go, if no further backup is made; nil: it stays
}

// fates tells them by the backup's ID.
func fates(now time.Time, h backup.Holding) map[string]fate {
	all := map[string]fate{}
	removals, kept := h.Now(now)
	for _, r := range removals {
		all[r.BackupID] = fate{link: r.Link, why: r.Reason, going: true}
	}
	for _, k := range kept {
		all[k.BackupID] = fate{link: k.Link, why: k.Reason}
	}
	going, _ := h.Forecast(now, endOfTime)
	for id, f := range all {
		f.expires = expiry(f.link)
		all[id] = f
	}
	for _, g := range going {
		f := all[g.BackupID]
		f.goes = &g.At
		all[g.BackupID] = f
	}
	return all
}

// lastPoint answers which one of those that go is the last restore point, after which the volume has none; -1 where one
// stays.
func lastPoint(going []backup.Going, kept []backup.Kept) int {
	for _, k := range kept {
		if k.Status == backup.StatusAvailable {
			return -1
		}
	}
	for i, g := range slices.Backward(going) {
		if g.Status == backup.StatusAvailable {
			return i
		}
	}
	return -1
}

// expiry is the end of a link's own retention.
func expiry(l backup.Link) *time.Time {
	if l.Retention.IsZero() {
		return nil
	}
	end := l.Retention.After(l.DataTime)
	if end.After(endOfTime) {
		return nil
	}
	return &end
}
