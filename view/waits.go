package view

import (
	"fmt"
	"strings"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// waiting returns what the volume waits for, by its records and its row.
func (v *Explanation) waiting(set backup.Settings, volume db.Volume, paused *db.Pause, held []backup.Record) []string {
	waits := []string{}
	if paused != nil {
		waits = append(waits, fmt.Sprintf("The operator, to resume: paused since %s by %s: %s.", Clock(paused.Since), paused.Who, Or(paused.Why, "no reason is given")))
	}
	if v.progress != nil {
		waits = append(waits, progress(v.At, *v.progress))
	}
	for _, r := range held {
		switch r.State {
		case backup.Deleting:
			waits = append(waits, fmt.Sprintf("Cinder, to remove backup %s, asked for at %s.", r.BackupID, MaybeClock(r.DeletionRequestedAt)))
		case backup.Undeletable:
			waits = append(waits, fmt.Sprintf("The operator, to see why Cinder can't remove backup %s: %s%s It is tried again at %s.",
				r.BackupID, r.RemovalReason.Sentence(), inFull(r.RemovalText), MaybeClock(r.NextTryAt)))
		case backup.Planned, backup.Creating, backup.Overdue, backup.Available, backup.Deleted, backup.Withdrawn, backup.Failed, backup.Lost:
		}
	}
	if act := v.toAct(set, volume); act != "" {
		waits = append(waits, act)
	}
	if v.Now.Reason.Code == backup.RetryLater && v.Now.At != nil {
		waits = append(waits, fmt.Sprintf("The next attempt, at %s.", Clock(*v.Now.At)))
	}
	if v.Now.Reason.Code == backup.VolumeChanging {
		waits = append(waits, fmt.Sprintf("The end of what is done to the volume: its status was %q.", v.Status))
	}
	if volume.RemovalDueAt != nil {
		waits = append(waits, fmt.Sprintf("A worker, to remove what retention found at %s.", Clock(*volume.RemovalDueAt)))
	}
	if volume.LeaseUntil != nil && volume.LeaseUntil.After(v.At) {
		waits = append(waits, fmt.Sprintf("The worker that holds the volume until %s at the latest.", volume.LeaseUntil.UTC().Format("15:04:05")))
	}
	return waits
}

// toAct returns who must do what before there can be a backup; empty if nobody must.
func (v *Explanation) toAct(set backup.Settings, volume db.Volume) string {
	switch failed := v.Failure; {
	case volume.GoneAt != nil || v.progress != nil: // a new attempt is in progress, so the last failure no longer counts
		return ""
	case !volume.Protected && set.BackupMetadataKey == "":
		return "The tenant, if it is to be backed up, to attach it to a server."
	case !volume.Protected:
		return fmt.Sprintf("The tenant, if it is to be backed up: %s = true in the metadata of a server that it is attached to.", set.BackupMetadataKey)
	case failed == nil || failed.Reason.MustAct == backup.Nobody:
		return ""
	case failed.Reason.Code != backup.VolumeStatus:
		return fmt.Sprintf("The %s, to act on the last failure (%s).", failed.Reason.MustAct, failed.Reason.Code)
	case volume.AsOf().CanBeBackedUp() || v.Now.Reason.Code == backup.VolumeChanging:
		return ""
	}
	return fmt.Sprintf("The tenant, to bring the volume from status %q to available or in-use: the next plan that sees it so plans a backup.", v.Status)
}

// inFull returns a sentence with Cinder's words, if there are any.
func inFull(words string) string {
	if words == "" {
		return ""
	}
	return " In full: " + strings.TrimSuffix(words, ".") + "."
}

// progress returns what the backup in progress waits for.
func progress(now time.Time, r backup.Record) string {
	again := ""
	if r.NextTryAt != nil && r.NextTryAt.After(now) {
		again = fmt.Sprintf(" Nothing is tried before %s.", Clock(*r.NextTryAt))
	}
	why := ""
	if r.State != backup.Planned && r.Reason != "" {
		why = " " + ReasonOf(r.Reason).Words() + inFull(r.ReasonText)
	}
	switch {
	case r.State == backup.Planned && r.AdmittedAt == nil:
		return fmt.Sprintf("A place under the caps (STAFFELN_MAX_BACKUPS_IN_PROGRESS and its like) for the %s planned at %s.", r.Kind, Clock(r.ChangedAt))
	case r.State == backup.Planned:
		return fmt.Sprintf("A worker, to ask Cinder for the %s admitted at %s.%s", r.Kind, Clock(*r.AdmittedAt), again)
	case r.State == backup.Overdue:
		return fmt.Sprintf("Cinder, to end backup %s, overdue since %s.%s%s", r.BackupID, MaybeClock(r.Deadline), why, again)
	case r.BackupID == "" && r.UnansweredRequestAt != nil:
		return fmt.Sprintf("The effect of the request of %s, whose answer is missing.%s%s", Clock(*r.UnansweredRequestAt), why, again)
	case r.BackupID == "":
		return fmt.Sprintf("Another attempt to ask Cinder.%s%s", why, again)
	}
	return fmt.Sprintf("Cinder, to finish backup %s, asked for at %s; its deadline is %s.%s", r.BackupID, MaybeClock(r.RequestedAt), MaybeClock(r.Deadline), why)
}

// Because returns a sentence that says why a volume is not protected now; empty if it is.
func (v *Explanation) Because() string {
	if v.Protection == backup.Protected || v.Protection == backup.Unknown || v.Protection == backup.Gone {
		return ""
	}
	switch now, r := v.Now, v.progress; {
	case r != nil && r.State == backup.Overdue:
		return "The backup in progress is overdue. " + ReasonOf(r.Reason).Words()
	case r != nil && r.State == backup.Planned && r.AdmittedAt == nil:
		return "A backup is planned, and waits for a place under the caps."
	case now.Reason.Code == backup.BackupInProgress || now.Reason.Code == backup.Paused || now.Reason.Code == backup.VolumeChanging || v.Protection == backup.Unprotected:
		return now.Reason.Words()
	case v.Failure != nil:
		return v.Failure.Reason.Words()
	case backup.Action(now.Action) == backup.Create:
		return "A backup is due, and no plan has asked for it yet."
	default:
		return now.Reason.Words()
	}
}
