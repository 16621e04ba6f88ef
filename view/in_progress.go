package view

import (
	"context"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// InProgress is one backup that is being made or removed.
type InProgress struct {
	Object

	Kind     string     `json:"kind" desc:"full or incremental"`
	State    string     `json:"state" desc:"of the record"`
	SizeGiB  int        `json:"size_gib" desc:"of the volume"`
	BackupID string     `json:"backup_id" desc:"Cinder's; \"\" before its response"`
	Name     string     `json:"backup_name" desc:"its name in Cinder; \"\" before the request"`
	Since    *time.Time `json:"since" desc:"when Cinder was asked, or else when it was admitted"`
	UsualEnd *time.Time `json:"usual_end_at" desc:"of a backup that Cinder makes: when it ends if it takes as long as the last ones of the volume; in the past if it takes longer; null: not known"`
	Deadline *time.Time `json:"deadline" desc:"past it, a backup that is being made is overdue"`
	NextTry  *time.Time `json:"next_try_at" desc:"no attempt is made before this time"`
	Reason   Reason     `json:"reason" desc:"what delays it, if anything"`
	Text     string     `json:"text" desc:"in full: Cinder's words"`
}

// usualDurations returns how long a backup of each volume of the records usually takes, by its ID.
func usualDurations(ctx context.Context, l *db.Snapshot, records []backup.Record) (map[string]time.Duration, error) {
	volumes, err := l.Volumes(ctx, Each(records, func(r backup.Record) string { return r.VolumeID }))
	usual := make(map[string]time.Duration, len(volumes))
	for _, v := range volumes {
		usual[v.ID] = v.Usual
	}
	return usual, err
}

func inProgressOf(r backup.Record, usual time.Duration) InProgress {
	v := InProgress{
		Object: ObjectOf(r), Kind: string(r.Kind), State: string(r.State), SizeGiB: r.SizeGiB, BackupID: r.BackupID, Name: r.BackupName,
		Since: r.RequestedAt, Deadline: r.Deadline, NextTry: r.NextTryAt, Reason: ReasonOf(r.Reason), Text: r.ReasonText,
	}
	if usual > 0 && r.RequestedAt != nil {
		v.UsualEnd = new(r.RequestedAt.Add(usual))
	}
	switch r.State {
	case backup.Planned:
		v.Since = r.AdmittedAt
		v.Reason, v.Text = Reason{MustAct: backup.Nobody}, "" // its reason is why it was planned
	case backup.Deleting, backup.Undeletable:
		v.Since, v.UsualEnd, v.Deadline = r.DeletionRequestedAt, nil, nil
		v.Reason, v.Text = ReasonOf(r.RemovalReason), r.RemovalText
	case backup.Creating, backup.Overdue, backup.Available, backup.Deleted, backup.Withdrawn, backup.Failed, backup.Lost:
	}
	return v
}

// sortInProgress splits records into those being made, those being removed, and the stuck ones; overdue ones are in two.
func sortInProgress(records []backup.Record, usual map[string]time.Duration) (making, removing, stuck []InProgress) {
	making, removing, stuck = []InProgress{}, []InProgress{}, []InProgress{}
	for _, r := range records {
		v := inProgressOf(r, usual[r.VolumeID])
		switch r.State {
		case backup.Deleting:
			removing = append(removing, v)
		case backup.Undeletable:
			stuck = append(stuck, v)
		case backup.Overdue:
			making, stuck = append(making, v), append(stuck, v)
		case backup.Planned, backup.Creating, backup.Available, backup.Deleted, backup.Withdrawn, backup.Failed, backup.Lost:
			making = append(making, v)
		}
	}
	return making, removing, stuck
}
