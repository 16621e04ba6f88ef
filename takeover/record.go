package takeover

import (
	"cmp"
	"time"

	"staffeln/backup"
)

// A Context is what a record has besides the backup itself: the volume as the cloud has it now, and who protects it.
type Context struct {
	Volume                  backup.Volume // zero but for its ID if Cinder no longer has it
	ServerName, ProjectName string        // the present names; empty: not known
	Retention               backup.Period // in force for the volume
}

// Record returns the record of a backup that is taken over. Its times are Cinder's, because its age counts, not the time of the
// import; a time that is ahead of now is now. The plan's time is on the grid, so that the next backup is due when it would have
// been.
func (d RowDecision) Record(now time.Time, set backup.Settings, c Context) backup.Record {
	b, made := d.Backup, earlier(now, d.At())
	created := made
	if !b.CreatedAt.IsZero() {
		created = earlier(now, b.CreatedAt)
	}
	r := backup.Record{
		ProjectID: d.ProjectID(), ProjectName: c.ProjectName, ServerID: d.Row.ServerID, ServerName: cmp.Or(c.ServerName, d.Row.ServerName),
		VolumeID: d.VolumeID(), VolumeName: cmp.Or(c.Volume.Name, d.Row.VolumeName), Zone: c.Volume.Zone,
		SizeGiB: cmp.Or(b.SizeGiB, c.Volume.SizeGiB), Encrypted: b.Encrypted, Kind: backup.Full, Retention: c.Retention,
		PlannedAt: backup.Grid(created, set.BackupServicePeriod.Std()), RequestedAt: &created,
		BackupID: d.ID(), BackupName: b.Name, CinderStatus: string(b.Status),
	}
	if b.Incremental {
		r.Kind = backup.Incremental
	}
	if !b.DataTimestamp.IsZero() || !b.CreatedAt.IsZero() {
		r.CinderTimestamp = new(d.At())
	}
	switch d.Outcome { //nolint:exhaustive // no other outcome is taken over
	case StillMade:
		r.State, r.Deadline = backup.Creating, new(created.Add(set.Timeout(r.SizeGiB)))
		r.CinderTimestamp = nil
	case Leftover:
		r.State, r.EndedAt, r.Reason, r.ReasonText = backup.Failed, &created, backup.BackupError, b.FailReason
	case MissingLink:
		r.State, r.Reason = backup.Lost, backup.RemovedByOthers
		r.DataTimestamp, r.AvailableAt, r.EndedAt = &made, &made, &made
		r.CinderTimestamp = &made
	default:
		r.State = backup.Available
		r.DataTimestamp, r.AvailableAt, r.EndedAt = &made, &made, &made
	}
	return r
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
