package worker

import (
	"errors"
	"slices"

	"staffeln/backup"
	"staffeln/db"
)

// reasonOf returns what a refusal means for a record, and whether it is final. It is
// not final if waiting can fix it.
func reasonOf(err error) (why db.Why, final bool) {
	var ce *backup.CloudError
	if !errors.As(err, &ce) {
		return db.Why{Reason: backup.CinderUnavailable, Text: err.Error()}, false
	}
	why = db.Why{Reason: reasons[ce.Meaning], Text: ce.Error(), RequestID: ce.RequestID}
	return why, !slices.Contains(transient, ce.Meaning)
}

// transient are the meanings that only waiting can fix.
var transient = []backup.Meaning{backup.MeansUnavailable, backup.MeansThrottled, backup.MeansUnauthorised}

var reasons = map[backup.Meaning]backup.Reason{
	backup.MeansUnavailable:   backup.CinderUnavailable,
	backup.MeansThrottled:     backup.Throttled,
	backup.MeansUnauthorised:  backup.Unauthorised,
	backup.MeansNotFound:      backup.VolumeGone,
	backup.MeansVolumeState:   backup.VolumeNotReady,
	backup.MeansQuota:         backup.QuotaExceeded,
	backup.MeansForbidden:     backup.Forbidden,
	backup.MeansNoRole:        backup.NoRole,
	backup.MeansNotAdmin:      backup.NotAdmin,
	backup.MeansProjectGone:   backup.ProjectGone,
	backup.MeansHasDependents: backup.HasDependents,
	backup.MeansSecretRight:   backup.SecretRightUnknown,
	backup.MeansBackupState:   backup.DeletionRefused,
	backup.MeansNoService:     backup.NoServiceInZone,
	backup.MeansNoParent:      backup.Refused,
	backup.MeansRefused:       backup.Refused,
}
