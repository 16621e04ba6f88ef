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

	Backups []Backup `json:"backups" desc:"the newest first"`
	More    bool     `json:"more" desc:"there are more than --limit"`
}

// Backup is one record.
type Backup struct {
	Object

	RecordID  string     `json:"record_id" desc:"ours; it stands in the backup's tag and in the log"`
	BackupID  string     `json:"backup_id" desc:"Cinder's; \"\" before its answer"`
	Kind      string     `json:"kind" desc:"full or incremental; \"\": Cinder was not asked for any"`
	State     string     `json:"state" desc:"planned, creating, overdue, available, deleting, deleted, withdrawn, failed, lost or undeletable"`
	SizeGiB   int        `json:"size_gib" desc:"of the volume, when it was backed up"`
	At        time.Time  `json:"at" desc:"the time of its data; before it has any, of the request, or of the plan"`
	Took      *int64     `json:"took_seconds" desc:"from the request until it was seen available or failed"`
	KeptUntil *time.Time `json:"kept_until" desc:"when its turn to go comes by policy, if no further backup is made; null: it stays, or is not there"`
	Kept      Reason     `json:"kept_why" desc:"why it stays in Cinder now, or goes"`
	Reason    Reason     `json:"reason" desc:"of the record's state, where there is something to say"`
	Text      string     `json:"text" desc:"in full: Cinder's words"`
	RequestID string     `json:"request_id" desc:"of the request that the reason tells of"`
}

// Backups lists the backups that match f.
func (r Reader) Backups(ctx context.Context, l *db.Snapshot, f db.Filter) (BackupList, error) {
	if r.Project != "" {
		f.Only = r.Project
	}
	head, _, err := r.Head(ctx, l)
	if err != nil {
		return BackupList{}, err
	}
	v := BackupList{AsOf: head}
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
	v.Backups = Each(records, func(o backup.Record) Backup { return backupOf(o, kept[o.BackupID]) })
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
	all := map[string]expiry{}
	for _, v := range volumes {
		h := RetentionInputOf(r.Settings, v, held[v.ID])
		h.Done = ctx.Done()
		forecast, _ := h.Forecast(l.Now, EndOfTime)
		maps.Copy(all, expiries(l.Now, h, forecast))
	}
	return all, ctx.Err()
}

func backupOf(r backup.Record, f expiry) Backup {
	v := Backup{
		Object: ObjectOf(r), RecordID: r.ID, BackupID: r.BackupID, Kind: string(r.Kind), State: string(r.State), SizeGiB: r.SizeGiB,
		At: r.PlannedAt, KeptUntil: f.removalAt, Kept: ReasonOf(f.reason), Reason: ReasonOf(r.Reason), Text: r.ReasonText, RequestID: r.RequestID,
	}
	if r.State == backup.Failed && r.RequestedAt == nil {
		v.Kind = ""
	}
	switch {
	case r.DataTimestamp != nil:
		v.At = *r.DataTimestamp
	case r.RequestedAt != nil:
		v.At = *r.RequestedAt
	}
	if r.RequestedAt != nil && r.EndedAt != nil {
		v.Took = new(int64(r.EndedAt.Sub(*r.RequestedAt) / time.Second))
	}
	if removed := slices.Contains([]backup.State{backup.Deleting, backup.Deleted, backup.Undeletable}, r.State); removed || r.RemovalReason != "" {
		v.Reason, v.Text = ReasonOf(r.RemovalReason), r.RemovalText
	}
	return v
}
