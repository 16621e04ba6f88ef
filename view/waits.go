package view

import (
	"fmt"
	"strings"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/visible"
)

// A Wait is one thing that a volume waits for: the code is for programs, the words are for people.
type Wait struct {
	For   backup.WaitCode `json:"for" desc:"cap, no_service, paused, throttled, dispatch, scheduler, queue, worker, cinder, retry, volume, tenant, operator or next_plan"`
	Words string          `json:"words" desc:"what is waited for"`
}

func waitFor(code backup.WaitCode, format string, args ...any) Wait {
	return Wait{code, fmt.Sprintf(format, args...)}
}

// waiting returns what the volume waits for, by its records and its row.
func (v *Explanation) waiting(r Reader, volume db.Volume, paused *db.Pause, held []backup.Record) []Wait {
	waits := []Wait{}
	switch {
	case paused != nil && paused.DryRun():
		waits = append(waits, waitFor(backup.WaitPause, "The operator, to end the dry run that began at %s: unset STAFFELN_DRY_RUN and restart schedulers and workers.", Clock(paused.Since)))
	case paused != nil:
		waits = append(waits, waitFor(backup.WaitPause, "The operator, to resume: paused since %s by %s: %s.", Clock(paused.Since), paused.Who, Or(paused.Why, "no reason is given")))
	}
	if p := v.progress; p != nil && (paused == nil || p.State != backup.Planned) {
		waits = append(waits, r.progress(v.AsOf, *p)...)
	}
	for _, one := range held {
		switch one.State {
		case backup.Deleting:
			waits = append(waits, waitFor(backup.WaitCinder, "Cinder, to remove backup %s, asked for at %s.", visible.Named(one.BackupName, one.BackupID), MaybeClock(one.DeletionRequestedAt)))
		case backup.Undeletable:
			waits = append(waits, waitFor(backup.WaitOperator, "The operator, to see why Cinder can't remove backup %s: %s%s It is tried again at %s.",
				visible.Named(one.BackupName, one.BackupID), one.RemovalReason.Sentence(), inFull(one.RemovalText), MaybeClock(one.NextTryAt)))
		case backup.Planned, backup.Creating, backup.Overdue, backup.Available, backup.Deleted, backup.Withdrawn, backup.Failed, backup.Lost:
		}
	}
	if needed, ok := v.requiredAction(r.Settings, volume); ok {
		waits = append(waits, needed)
	}
	if v.Now.Reason.Code == backup.RetryLater && v.Now.At != nil {
		waits = append(waits, waitFor(backup.WaitRetry, "The next attempt, at %s.", Clock(*v.Now.At)))
	}
	if v.Now.Reason.Code == backup.WaitsForParent && len(waits) == 0 {
		waits = append(waits, waitFor(backup.WaitCinder, "Cinder, to end the restore or the removal of the newest link: the next backup builds on it."))
	}
	if v.Now.Reason.Code == backup.VolumeChanging {
		waits = append(waits, waitFor(backup.WaitVolume, "The end of what is done to the volume: its status was %q.", v.Status))
	}
	if volume.RemovalDueAt != nil {
		waits = append(waits, r.worker(v.AsOf, fmt.Sprintf("to remove what retention found at %s", Clock(*volume.RemovalDueAt))))
	}
	if volume.LeaseUntil != nil && volume.LeaseUntil.After(v.At) {
		waits = append(waits, waitFor(backup.WaitWorker, "The worker that holds the volume until %s at the latest.", volume.LeaseUntil.UTC().Format("15:04:05")))
	}
	return append(waits, v.nextPlan(r)...)
}

// nextPlan returns the wait for the plan that asks for a due backup, or for the scheduler that makes plans.
func (v *Explanation) nextPlan(r Reader) []Wait {
	if v.unseen || backup.Action(v.Now.Action) != backup.Create || v.progress != nil {
		return nil
	}
	if v.stopped == backup.WaitScheduler {
		return []Wait{{v.forReader(backup.WaitScheduler), r.stoppedWords(backup.WaitScheduler)}}
	}
	return []Wait{waitFor(backup.WaitPlan, "The next plan, at %s: a backup is due.", MaybeClock(v.Now.At))}
}

// requiredAction returns who must do what before there can be a backup.
func (v *Explanation) requiredAction(set backup.Settings, volume db.Volume) (Wait, bool) {
	switch failed := v.Failure; {
	case volume.GoneAt != nil || v.progress != nil: // a new attempt is in progress, so the last failure no longer counts
		return Wait{}, false
	case !volume.Protected && set.BackupMetadataKey == "":
		return waitFor(backup.WaitTenant, "The tenant, if it is to be backed up, to attach it to a server."), true
	case !volume.Protected:
		return waitFor(backup.WaitTenant, "The tenant, if it is to be backed up: %s = true in the metadata of a server that it is attached to.", set.BackupMetadataKey), true
	case v.Now.Reason.Code == backup.ProjectGone:
		return waitFor(backup.WaitOperator, "The operator: the project is deleted; %s.", backup.ProjectGoneCure(v.ProjectID)), true
	case failed == nil || failed.Reason.MustAct == backup.Nobody:
		return Wait{}, false
	case !failed.Reason.Code.OfStatus():
		code := map[backup.Owner]backup.WaitCode{backup.Tenant: backup.WaitTenant, backup.Operator: backup.WaitOperator}[failed.Reason.MustAct]
		return waitFor(code, "The %s, to fix the cause of the last failure (%s).", failed.Reason.MustAct, failed.Reason.Code), true
	case volume.AsOf().CanBeBackedUp() || v.Now.Reason.Code == backup.VolumeChanging:
		return Wait{}, false
	}
	if v.Failure.Reason.Code == backup.VolumeLeftInError {
		return waitFor(backup.WaitOperator, "The operator, to reset the volume from status %q to what it was (openstack volume set --state in-use %s, or available if it is not attached): the next plan that sees it so plans a backup.", v.Status, volume.ID), true
	}
	return waitFor(backup.WaitTenant, "The tenant, to bring the volume from status %q to available or in-use: the next plan that sees it so plans a backup.", v.Status), true
}

// inFull returns a sentence with Cinder's words, if there are any.
func inFull(words string) string {
	if words == "" {
		return ""
	}
	return " In full: " + strings.TrimSuffix(words, ".") + "."
}
