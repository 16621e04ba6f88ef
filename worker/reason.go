package worker

import (
	"errors"

	"staffeln/backup"
	"staffeln/db"
)

// reasonOf says what a refusal means for a record, and whether it is an end:
// what only waiting can mend is none.
func reasonOf(err error) (why db.Why, final bool) {
	var ce *backup.CloudError
	if !errors.As(err, &ce) {
		return db.Why{Reason: backup.CinderUnavailable, Text: err.Error()}, false
	}
	why = db.Why{Text: ce.Error(), RequestID: ce.RequestID}
	switch ce.Meaning {
	case backup.MeansUnavailable:
		why.Reason = backup.CinderUnavailable
		return why, false
	case backup.MeansThrottled:
		why.Reason = backup.Throttled
		return why, false
	case backup.MeansUnauthorised:
		why.Reason = backup.Unauthorised
		return why, false
	case backup.MeansNotFound:
		why.Reason = backup.VolumeGone
	case backup.MeansVolumeState:
		why.Reason = backup.VolumeBusy
	case backup.MeansQuota:
		why.Reason = backup.QuotaExceeded
	case backup.MeansForbidden:
		why.Reason = backup.Forbidden
	case backup.MeansNoRole:
		why.Reason = backup.NoRole
	case backup.MeansProjectGone:
		why.Reason = backup.ProjectGone
	case backup.MeansHasDependents:
		why.Reason = backup.HasDependents
	case backup.MeansSecretRight:
		why.Reason = backup.SecretRightUnknown
	case backup.MeansBackupState:
		why.Reason = backup.DeletionRefused
	case backup.MeansNoService:
		why.Reason = backup.NoServiceInZone
	case backup.MeansNoParent, backup.MeansRefused:
		why.Reason = backup.Refused
	}
	return why, true
}
