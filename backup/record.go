package backup

import "time"

// A Kind is full or incremental: what was planned, and after the creation what Cinder made.
type Kind string

// The kinds of a backup.
const (
	Full        Kind = "full"
	Incremental Kind = "incremental"
)

// A Record is the stored state of one backup: plan, progress and result. Times are UTC; Cinder's
// are named so.
type Record struct {
	ID                     string
	ProjectID, ProjectName string
	ServerID, ServerName   string
	VolumeID, VolumeName   string
	Zone                   string
	SizeGiB                int
	Encrypted              bool
	State                  State
	Kind                   Kind
	ForcedFull             bool       // a full that the depth did not ask for
	Manual                 bool       // an operator requested it, independent of the interval
	Retention              Period     // in force when it was planned
	PlannedAt              time.Time  // the plan's time on the grid
	CreatedAt              time.Time  // when the record was written
	LastPointAt            *time.Time // data timestamp of the volume's newest restore point when it was planned
	AdmittedAt             *time.Time // when admission let it through
	Held                   Held       // why the newest dispatch run did not admit it; empty if it did or did not see it yet
	RequestedAt            *time.Time // first creation request to Cinder
	UnansweredRequestAt    *time.Time // newest request without a response
	Deadline               *time.Time // after it, a creating record becomes overdue
	NextTryAt              *time.Time // no attempt before this time
	ChangedAt              time.Time  // when it entered its current state
	StartedAt              *time.Time // when Cinder began the backup, see [Record.Course]; nil: not known
	FinishedAt             *time.Time // when Cinder ended its creation; nil: not known
	AvailableAt            *time.Time // when we saw it available
	EndedAt                *time.Time // when it became available, failed or withdrawn
	Attempts               int        // creation requests sent for this backup
	BackupID               string     // Cinder's ID; empty before a response
	BackupName             string     // fixed before the first request, so that every request has the same name
	CinderStatus           string     // newest status in Cinder
	DataTimestamp          *time.Time // the time of its data: Cinder's if it is within the bounds of our own times, else ours
	CinderTimestamp        *time.Time // the time of its data in Cinder: it orders the backups of one volume
	Reason                 Reason     // reason of the state, if there is one
	ReasonText             string     // full text: Cinder's message and fail_reason
	RequestID              string     // Cinder's request ID for the reason
	RemovalReason          Reason     // why it is removed, or why it can't be removed
	RemovalText            string     // full text: Cinder's message
	DeletionRequestedAt    *time.Time // newest deletion request
	DeletionRefusedSince   *time.Time // first refusal in a row
	Repair                 Repair     // newest repair step, if it hangs
	RepairedAt             *time.Time // time of that step
}

// ClockWrong reports whether Cinder's data timestamp is out of the bounds of our own times, so that it was not used.
func (r Record) ClockWrong() bool {
	return r.DataTimestamp != nil && r.CinderTimestamp != nil && !r.DataTimestamp.Equal(*r.CinderTimestamp)
}

// Succeeded reports whether r became a restore point at some time and was not removed by others.
func (r Record) Succeeded() bool { return r.AvailableAt != nil && r.State != Lost }

// Leftover reports whether r failed and Cinder still has a backup of it.
func (r Record) Leftover() bool { return r.State == Failed && r.BackupID != "" }

// HappenedAt returns the time by which r is shown and sorted: of its data; before there is any, of the first request; before
// that, of the record itself. The time of the plan may be an hour before a manual backup. Package db has the same expression.
func (r Record) HappenedAt() time.Time {
	switch {
	case r.DataTimestamp != nil:
		return *r.DataTimestamp
	case r.RequestedAt != nil:
		return *r.RequestedAt
	default:
		return r.CreatedAt
	}
}

// dataTolerance is how far Cinder's data timestamp may be out of the bounds of our times before it counts as wrong.
// Package db has the same value.
const dataTolerance = 15 * time.Minute

// withinBounds reports whether r can have data of this time by our own times: from its first request to its end.
func (r Record) withinBounds(at time.Time) bool {
	return (r.RequestedAt == nil || !at.Before(r.RequestedAt.Add(-dataTolerance))) && (r.EndedAt == nil || !at.After(r.EndedAt.Add(dataTolerance)))
}

// NewestPoint returns the time of the newest data among the restore points that a project has of a volume; nil if
// there is none. Restore points of a previous owner do not count for the new owner.
func NewestPoint(projectID string, records []Record) *time.Time {
	var newest *time.Time
	for _, r := range records {
		if r.State == Available && Status(r.CinderStatus) != StatusError && r.ProjectID == projectID && r.DataTimestamp != nil && (newest == nil || r.DataTimestamp.After(*newest)) {
			newest = r.DataTimestamp
		}
	}
	return newest
}

// Course returns when Cinder began and ended the creation of r's backup, which is seen now, at the first look that sees it
// ended. The duration is Cinder's, by its own clock, and at most the time between our request and our look. It is right also
// if Cinder's clock is wrong. Without Cinder's times, ours count.
func (r Record) Course(now time.Time, b Backup) (started, finished time.Time) {
	first := now
	if r.RequestedAt != nil && r.RequestedAt.Before(now) {
		first = *r.RequestedAt
	}
	took := b.UpdatedAt.Sub(b.CreatedAt)
	switch {
	case b.CreatedAt.IsZero() || b.UpdatedAt.IsZero() || took < 0:
		return first, now
	case b.UpdatedAt.After(now): // its clock is ahead
		return latest(first, now.Add(-took)), now
	}
	started = latest(first, b.CreatedAt)
	if finished = started.Add(took); finished.After(now) {
		finished = now
	}
	return started, finished
}

// Took returns how long Cinder worked on the backup; ok is false if that is not known.
func (r Record) Took() (took time.Duration, ok bool) {
	if r.StartedAt == nil || r.FinishedAt == nil {
		return 0, false
	}
	return r.FinishedAt.Sub(*r.StartedAt), true
}
