package main

import (
	"fmt"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// waitsFor says what a volume waits for, as its records and its row tell.
func waitsFor(now time.Time, v db.Volume, decisive, held []backup.Record, failed *failureView) []string {
	waits := []string{}
	for _, r := range decisive {
		if r.State.InProgress() {
			waits = append(waits, progress(now, r))
		}
	}
	for _, r := range held {
		switch r.State {
		case backup.Deleting:
			waits = append(waits, fmt.Sprintf("Cinder, to remove backup %s, asked for at %s.", r.BackupID, maybeClock(r.DeletionAskedAt)))
		case backup.Undeletable:
			waits = append(waits, fmt.Sprintf("The operator, to see why Cinder can't remove backup %s: %s %s It is tried again at %s.",
				r.BackupID, r.RemovalReason.Sentence(), r.RemovalText, maybeClock(r.NextTryAt)))
		case backup.Planned, backup.Creating, backup.Overdue, backup.Available, backup.Deleted, backup.Withdrawn, backup.Failed, backup.Lost:
		}
	}
	if failed != nil && failed.Reason.MustAct != backup.Nobody {
		waits = append(waits, fmt.Sprintf("The %s, to act on %s.", failed.Reason.MustAct, failed.Reason.Code))
	}
	if v.Reason == backup.RetryLater && v.DecisionUntil != nil && v.DecisionUntil.After(now) {
		waits = append(waits, fmt.Sprintf("The next attempt, at %s.", clock(*v.DecisionUntil)))
	}
	if v.RemovalDueAt != nil {
		waits = append(waits, fmt.Sprintf("A worker, to remove what retention found at %s.", clock(*v.RemovalDueAt)))
	}
	if v.LeaseUntil != nil && v.LeaseUntil.After(now) {
		waits = append(waits, fmt.Sprintf("The worker that holds the volume until %s at the latest.", v.LeaseUntil.UTC().Format("15:04:05")))
	}
	return waits
}

// progress says what the backup in progress waits for.
func progress(now time.Time, r backup.Record) string {
	again := ""
	if r.NextTryAt != nil && r.NextTryAt.After(now) {
		again = fmt.Sprintf(" Not before %s.", clock(*r.NextTryAt))
	}
	why := ""
	if r.State != backup.Planned && r.Reason != "" {
		why = " " + reasonOf(r.Reason).words() + " " + r.ReasonText
	}
	switch {
	case r.State == backup.Planned && r.AdmittedAt == nil:
		return fmt.Sprintf("A place under the caps (STAFFELN_MAX_BACKUPS_IN_PROGRESS and its like) for the %s planned at %s.", r.Kind, clock(r.ChangedAt))
	case r.State == backup.Planned:
		return fmt.Sprintf("A worker, to ask Cinder for the %s admitted at %s.%s", r.Kind, clock(*r.AdmittedAt), again)
	case r.State == backup.Overdue:
		return fmt.Sprintf("Cinder, to end backup %s, overdue since %s.%s%s", r.BackupID, maybeClock(r.Deadline), why, again)
	case r.BackupID == "" && r.AskedAt != nil:
		return fmt.Sprintf("The effect of the request of %s, whose answer is missing.%s%s", clock(*r.AskedAt), why, again)
	case r.BackupID == "":
		return fmt.Sprintf("Another attempt to ask Cinder.%s%s", why, again)
	}
	return fmt.Sprintf("Cinder, to finish backup %s, asked for at %s; its deadline is %s.%s", r.BackupID, maybeClock(r.RequestedAt), maybeClock(r.Deadline), why)
}
