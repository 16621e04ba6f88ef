package view

import (
	"context"
	"maps"
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// BackupList is a list of records.
type BackupList struct {
	AsOf

	Backups []BackupSummary `json:"backups" desc:"the newest first"`
	More    bool            `json:"more" desc:"there are more than --limit"`
}

// BackupSummary is one record.
type BackupSummary struct {
	Object

	RecordID  string     `json:"record_id" desc:"ours; it is in the backup's tag and in the log"`
	BackupID  string     `json:"backup_id" desc:"Cinder's; \"\" before its response"`
	Name      string     `json:"backup_name" desc:"its name in Cinder; \"\" before the request"`
	Kind      string     `json:"kind" desc:"full or incremental; \"\": Cinder was not asked for any"`
	State     string     `json:"state" desc:"planned, creating, overdue, available, deleting, deleted, withdrawn, failed, lost or undeletable; an attempt that failed remains failed, whatever becomes of its leftover"`
	SizeGiB   int        `json:"size_gib" desc:"of the volume, when it was backed up"`
	At        time.Time  `json:"at" desc:"the time of its data; before it has any, of the request; before that, of the record itself"`
	EndedAt   *time.Time `json:"ended_at" desc:"when the attempt ended: it was seen available, or failed; null: it is in progress"`
	Took      *int64     `json:"took_seconds" desc:"how long Cinder worked on it, by its own times; null: not known, or in progress"`
	KeptUntil *time.Time `json:"kept_until" desc:"when the policy removes it, if no further backup is made, or since when that is due; null: it is kept, or Cinder does not have it"`
	Kept      Reason     `json:"kept_why" desc:"why it is kept in Cinder now, or expires"`
	Reason    Reason     `json:"reason" desc:"of its state, if it has one; of a failed attempt always of the failure"`
	Text      string     `json:"text" desc:"in full: Cinder's words"`
	RequestID string     `json:"request_id" desc:"of the request that the reason is about"`
	Leftover  *Leftover  `json:"leftover" desc:"what became of what a failed attempt left in Cinder; null: it did not fail"`
}

// Backups lists the backups that match f.
func (r Reader) Backups(ctx context.Context, l *db.Snapshot, f db.Filter) (BackupList, error) {
	if r.Project != "" {
		f.Only = r.Project
	}
	metadata, _, err := r.Metadata(ctx, l)
	if err != nil {
		return BackupList{}, err
	}
	v := BackupList{AsOf: metadata}
	limit := f.Limit
	if limit > 0 {
		f.Limit++ // one more shows whether there are more
	}
	all, err := l.Backups(ctx, f)
	if err != nil {
		return BackupList{}, err
	}
	records := all
	if limit > 0 && len(records) > limit {
		v.More = true
		if records = records[:limit]; f.Before != nil {
			records = all[len(all)-limit:]
		}
	}
	kept, err := r.expiries(ctx, l, records)
	v.Backups = Each(records, func(o backup.Record) BackupSummary { return backupOf(o, kept[o.BackupID]) })
	return v, err
}

// expiries returns, by backup ID, the expiry of the backups of the given records.
func (r Reader) expiries(ctx context.Context, l *db.Snapshot, records []backup.Record) (map[string]expiry, error) {
	var ids []string
	for _, one := range records {
		ids = append(ids, one.VolumeID)
	}
	slices.Sort(ids)
	volumes, err := l.Volumes(ctx, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	held, err := l.HeldAround(ctx, records, r.Settings.MinRestorePoints)
	if err != nil {
		return nil, err
	}
	paused, err := l.Pauses(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]expiry{}
	for _, v := range volumes {
		h := RetentionInputOf(r.Settings, v, held[v.ID], paused)
		h.Done = ctx.Done()
		forecast, _ := h.Forecast(l.Now, EndOfTime)
		maps.Copy(all, expiries(l.Now, h, forecast))
	}
	return all, ctx.Err()
}

func backupOf(r backup.Record, f expiry) BackupSummary {
	v := BackupSummary{
		Object: ObjectOf(r), RecordID: r.ID, BackupID: r.BackupID, Name: r.BackupName, Kind: string(r.Kind), State: string(r.Outcome()), SizeGiB: r.SizeGiB,
		At: r.HappenedAt(), EndedAt: r.EndedAt, Leftover: leftoverOf(r), KeptUntil: f.removalAt, Kept: ReasonOf(f.reason), Reason: ReasonOf(r.Reason), Text: r.ReasonText, RequestID: r.RequestID,
	}
	if r.FailedAttempt() {
		v.KeptUntil, v.Kept = nil, ReasonOf("") // its leftover is never kept
		if r.RequestedAt == nil {
			v.Kind = ""
		}
	}
	if took, known := r.Took(); known {
		v.Took = new(int64(took / time.Second))
	}
	switch { // a failure and a loss are never replaced by what is removed
	case r.FailedAttempt() || r.State == backup.Lost:
	case r.State.Removing() || r.State == backup.Deleted || r.RemovalReason != "":
		v.Reason, v.Text, v.RequestID = ReasonOf(r.RemovalReason), r.RemovalText, ""
	}
	return v
}
