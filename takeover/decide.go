package takeover

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"staffeln/backup"
)

// CloudFacts are what Cinder and the records have about the rows.
type CloudFacts struct {
	Installation string                   // ours
	Known        map[string]bool          // backups with a record
	InProgress   map[string]bool          // volumes with a record in progress
	Backups      map[string]backup.Backup // by ID: what Cinder has, of the rows and of their volumes
	Gone         map[string]bool          // backups that are a 404 by ID
	Unknown      map[string]bool          // volumes whose servers or existence could not be read
}

// A RowDecision is what becomes of one row, or of one backup that no row names.
type RowDecision struct {
	Outcome RowOutcome
	Row     Row           // zero if no row names the backup
	Backup  backup.Backup // Cinder's; zero if Cinder has none
}

// Decide decides about each row, and about the backups that no row names. A backup of both tables is decided once, by the row
// of backup_data. The decisions are in the order of time.
func Decide(rows []Row, f CloudFacts) []RowDecision {
	var decisions []RowDecision
	seen, progress := map[string]bool{}, map[string]bool{}
	for volume := range f.InProgress {
		progress[volume] = true
	}
	ordered := slices.Clone(rows)
	slices.SortStableFunc(ordered, func(a, b Row) int { return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Line, b.Line)) })
	for _, r := range ordered {
		if r.BackupID != "" && seen[r.BackupID] {
			continue
		}
		seen[r.BackupID] = true
		d := RowDecision{f.outcome(r), r, f.Backups[r.BackupID]}
		if d.Outcome == StillMade && progress[r.VolumeID] {
			d.Outcome = OtherProgress
		}
		progress[r.VolumeID] = progress[r.VolumeID] || d.Outcome == StillMade
		decisions = append(decisions, d)
	}
	decisions = append(decisions, f.unnamed(rows)...)
	slices.SortStableFunc(decisions, func(a, b RowDecision) int { return cmp.Or(a.At().Compare(b.At()), cmp.Compare(a.ID(), b.ID())) })
	markMissingLinks(decisions)
	return decisions
}

// ID returns the ID of the backup; empty if the row has none.
func (d RowDecision) ID() string { return cmp.Or(d.Row.BackupID, d.Backup.ID) }

// VolumeID returns the ID of the volume.
func (d RowDecision) VolumeID() string { return cmp.Or(d.Row.VolumeID, d.Backup.VolumeID) }

// ProjectID returns the ID of the project.
func (d RowDecision) ProjectID() string { return cmp.Or(d.Row.ProjectID, d.Backup.ProjectID) }

// At returns the time of the data: Cinder's, or else that of the row.
func (d RowDecision) At() time.Time {
	for _, at := range []time.Time{d.Backup.DataTimestamp, d.Backup.CreatedAt} {
		if !at.IsZero() {
			return at
		}
	}
	return d.Row.CreatedAt
}

// outcome decides about one row by itself.
func (f CloudFacts) outcome(r Row) RowOutcome {
	b, there := f.Backups[r.BackupID]
	switch {
	case r.BackupID == "" && r.Status == Begun:
		return NotSaved
	case r.BackupID == "":
		return NotBegun
	case f.Known[r.BackupID]:
		return Known
	case f.Gone[r.BackupID]:
		return Deleted
	case !there:
		return NotChecked
	case b.VolumeID != r.VolumeID:
		return OtherVolume
	case b.ProjectID != r.ProjectID:
		return OtherProject
	case b.Tag().Installation != "" && b.Tag().Installation != f.Installation:
		return OtherTag
	case f.Unknown[r.VolumeID]:
		return NotChecked
	}
	switch b.Status {
	case backup.StatusAvailable, backup.StatusRestoring: // also of a cancelled one: a good backup is kept
		return RestorePoint
	case backup.StatusCreating:
		return StillMade
	case backup.StatusError:
		if r.succeeded() {
			return InError
		}
		return Leftover
	case backup.StatusErrorDeleting: // its deletion was requested before
		return Leftover
	case backup.StatusDeleting:
		return BeingDeleted
	case backup.StatusSpoilt, backup.StatusLost: // Cinder has no such status
	}
	return UnknownStatus
}

// pythonName matches what the Python program calls its backups: `<server>_<volume>_<unix time>`.
var pythonName = regexp.MustCompile(`^.*_.*_\d{9,10}$`)

// unnamed returns the backups of the rows' volumes that no row and no record names although the Python program made them: they
// have its form of a name, no tag, and the user of a backup that a row names.
func (f CloudFacts) unnamed(rows []Row) (found []RowDecision) {
	named, users, volumes := map[string]bool{}, map[string]bool{}, map[string]string{}
	for _, r := range rows {
		named[r.BackupID], volumes[r.VolumeID] = true, r.ProjectID
		if b, there := f.Backups[r.BackupID]; there {
			users[b.UserID] = true
		}
	}
	for id, b := range f.Backups {
		_, theirs := volumes[b.VolumeID]
		tagged := b.Tag() != backup.Tag{}
		if theirs && !named[id] && !f.Known[id] && !tagged && pythonName.MatchString(strings.ReplaceAll(b.Name, "\n", " ")) && (users[b.UserID] || len(users) == 0) {
			found = append(found, RowDecision{Outcome: Unnamed, Backup: b})
		}
	}
	return found
}

// markMissingLinks marks the deleted backups on which an incremental that Cinder still has was made: without a record of them
// that incremental would seem restorable. The decisions are in the order of time.
func markMissingLinks(decisions []RowDecision) {
	type chain struct{ volume, project string }
	needed := map[chain]bool{} // an incremental above is taken over, with no full in between
	for i, d := range slices.Backward(decisions) {
		of := chain{d.VolumeID(), d.ProjectID()}
		switch d.Outcome { //nolint:exhaustive // the others are no links
		case RestorePoint, StillMade, InError:
			needed[of] = d.Backup.Incremental
		case Deleted:
			if needed[of] && d.Row.succeeded() && !d.Row.CreatedAt.IsZero() {
				decisions[i].Outcome = MissingLink
			}
		}
	}
}
