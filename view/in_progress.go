package view

import (
	"time"

	"staffeln/backup"
)

// InProgress is one backup that is being made or removed.
type InProgress struct {
	Object

	Kind     string     `json:"kind" desc:"full or incremental"`
	State    string     `json:"state" desc:"of the record"`
	SizeGiB  int        `json:"size_gib" desc:"of the volume"`
	BackupID string     `json:"backup_id" desc:"Cinder's; \"\" before its answer"`
	Since    *time.Time `json:"since" desc:"when Cinder was asked, or else when the caps let it through"`
	Deadline *time.Time `json:"deadline" desc:"past it, a backup that is being made is overdue"`
	NextTry  *time.Time `json:"next_try_at" desc:"nothing is tried before"`
	Reason   Reason     `json:"reason" desc:"what keeps it, where something does"`
	Text     string     `json:"text" desc:"in full: Cinder's words"`
}

func inProgressOf(r backup.Record) InProgress {
	v := InProgress{
		Object: ObjectOf(r), Kind: string(r.Kind), State: string(r.State), SizeGiB: r.SizeGiB, BackupID: r.BackupID,
		Since: r.RequestedAt, Deadline: r.Deadline, NextTry: r.NextTryAt, Reason: ReasonOf(r.Reason), Text: r.ReasonText,
	}
	switch r.State {
	case backup.Planned:
		v.Since = r.AdmittedAt
		v.Reason, v.Text = Reason{MustAct: backup.Nobody}, "" // its reason says why it was planned
	case backup.Deleting, backup.Undeletable:
		v.Since, v.Deadline, v.Reason, v.Text = r.DeletionRequestedAt, nil, ReasonOf(r.RemovalReason), r.RemovalText
	case backup.Creating, backup.Overdue, backup.Available, backup.Deleted, backup.Withdrawn, backup.Failed, backup.Lost:
	}
	return v
}

// sortInProgress splits records into those being made, those being removed, and the stuck ones; overdue ones are in two.
func sortInProgress(records []backup.Record) (making, removing, stuck []InProgress) {
	making, removing, stuck = []InProgress{}, []InProgress{}, []InProgress{}
	for _, r := range records {
		v := inProgressOf(r)
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
