package backup

import "time"

// A Kind is full or incremental: the wish before, the fact after Cinder made it.
type Kind string

// The kinds of a backup.
const (
	Full        Kind = "full"
	Incremental Kind = "incremental"
)

// A Record is our memory of one backup: wish, progress, outcome. Times are
// UTC; those of Cinder are named so.
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
	Manual                 bool       // an operator asked for it, outside the interval
	Retention              Period     // in force when it was planned
	PlannedAt              time.Time  // the plan's time on the grid
	LastPointAt            *time.Time // data timestamp of the volume's newest restore point when it was planned
	AdmittedAt             *time.Time // when the caps let it through
	RequestedAt            *time.Time // first request to Cinder
	UnansweredRequestAt    *time.Time // newest request whose answer we do not have
	Deadline               *time.Time // past it, creating becomes overdue
	NextTryAt              *time.Time // nothing is tried again before
	ChangedAt              time.Time  // when it entered its state
	AvailableAt            *time.Time // when we saw it available
	EndedAt                *time.Time // when it became available, failed or withdrawn
	Attempts               int        // requests for this backup that were sent
	BackupID               string     // Cinder's ID; empty before an answer
	BackupName             string     // fixed before the first request, so that each request names the same
	CinderStatus           string     // Cinder's newest word on it
	DataTimestamp          *time.Time // the time of its data: Cinder's within the bounds of our own times, else ours
	CinderTimestamp        *time.Time // the time of its data as Cinder has it: it orders the backups of one volume
	Reason                 Reason     // of the state, where there is something to say
	ReasonText             string     // in full: Cinder's words and fail_reason
	RequestID              string     // of the request that the reason tells of
	RemovalReason          Reason     // why it is removed, or why it can't be
	RemovalText            string     // in full: Cinder's words
	DeletionRequestedAt    *time.Time // newest request to remove it
	DeletionRefusedSince   *time.Time // first refusal in a row
	Repair                 Repair     // newest step that was taken because it hangs
	RepairedAt             *time.Time // when
}

// ClockWrong reports whether Cinder's time of the data is out of the bounds of
// our own times, so that it was not taken over.
func (r Record) ClockWrong() bool {
	return r.DataTimestamp != nil && r.CinderTimestamp != nil && !r.DataTimestamp.Equal(*r.CinderTimestamp)
}

// Succeeded tells whether r became a restore point at some time and was not
// taken away by somebody else.
func (r Record) Succeeded() bool { return r.AvailableAt != nil && r.State != Lost }

// Leftover tells whether r failed and Cinder still holds what is left of it.
func (r Record) Leftover() bool { return r.State == Failed && r.BackupID != "" }

// dated is where r stands among the links of its volume.
func (r Record) dated() time.Time {
	switch {
	case r.DataTimestamp != nil:
		return *r.DataTimestamp
	case r.RequestedAt != nil:
		return *r.RequestedAt
	default:
		return r.PlannedAt
	}
}

// dataTolerance is how far a time of Cinder's may be out of the bounds of ours
// before it is wrong (db has it too).
const dataTolerance = 15 * time.Minute

// bounds tells whether r can have data of that time by our own times: from its
// first request to its end.
func (r Record) bounds(at time.Time) bool {
	return (r.RequestedAt == nil || !at.Before(r.RequestedAt.Add(-dataTolerance))) && (r.EndedAt == nil || !at.After(r.EndedAt.Add(dataTolerance)))
}

// NewestPoint returns the time of the newest data among the restore points
// that a project has of a volume; nil where it has none. What a volume's owner
// before had is none of the new owner's.
func NewestPoint(projectID string, records []Record) *time.Time {
	var newest *time.Time
	for _, r := range records {
		if r.State == Available && Status(r.CinderStatus) != StatusError && r.ProjectID == projectID && r.DataTimestamp != nil && (newest == nil || r.DataTimestamp.After(*newest)) {
			newest = r.DataTimestamp
		}
	}
	return newest
}
