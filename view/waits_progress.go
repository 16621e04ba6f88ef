package view

import (
	"cmp"
	"fmt"

	"staffeln/backup"
	"staffeln/internal/visible"
)

// waitOf returns the code for what a backup in progress waits for first. A missing scheduler comes before the reason
// that the newest dispatch run recorded; for what is admitted or in progress, a part of Staffeln that does not work comes first.
func (a AsOf) waitOf(r backup.Record) backup.WaitCode {
	switch {
	case r.State == backup.Planned && a.stopped == backup.WaitScheduler:
		return backup.WaitScheduler
	case r.State == backup.Planned && r.AdmittedAt == nil:
		return r.Held.Wait()
	case a.stopped != "":
		return a.stopped
	case r.State == backup.Planned:
		return backup.WaitWorker
	case r.BackupID == "":
		return backup.WaitRetry
	}
	return backup.WaitCinder
}

// forReader returns the code that the reader is shown: a tenant is not shown which part of Staffeln does not work.
func (a AsOf) forReader(code backup.WaitCode) backup.WaitCode {
	if a.tenant && code != "" && code == a.stopped {
		return backup.WaitOperator
	}
	return code
}

// progress returns what the backup in progress waits for.
func (r Reader) progress(a AsOf, one backup.Record) []Wait {
	code := a.waitOf(one)
	switch {
	case one.State == backup.Planned && code == backup.WaitWorker:
		return []Wait{r.worker(a, fmt.Sprintf("to ask Cinder for the %s admitted at %s.%s", one.Kind, MaybeClock(one.AdmittedAt), notBefore(a, one)))}
	case one.State == backup.Planned:
		return []Wait{{a.forReader(code), r.heldWords(code, one)}}
	}
	waits := []Wait{}
	if code == a.stopped && code != "" {
		waits = append(waits, Wait{a.forReader(code), r.stoppedWords(code)})
	}
	return append(waits, cinder(a, one))
}

// cinder returns the wait for Cinder that a requested backup has, or for the next request.
func cinder(a AsOf, r backup.Record) Wait {
	why := ""
	if r.Reason != "" {
		why = " " + ReasonOf(r.Reason).Words() + inFull(r.ReasonText)
	}
	again := notBefore(a, r)
	switch {
	case r.State == backup.Overdue:
		return waitFor(backup.WaitCinder, "Cinder, to end backup %s, overdue since %s.%s%s", visible.Named(r.BackupName, r.BackupID), MaybeClock(r.Deadline), why, again)
	case r.BackupID == "" && r.UnansweredRequestAt != nil:
		return waitFor(backup.WaitRetry, "The outcome of the request of %s: its response is missing.%s%s", Clock(*r.UnansweredRequestAt), why, again)
	case r.BackupID == "":
		return waitFor(backup.WaitRetry, "Another attempt to ask Cinder.%s%s", why, again)
	}
	return waitFor(backup.WaitCinder, "Cinder, to finish backup %s, asked for at %s; its deadline is %s.%s", visible.Named(r.BackupName, r.BackupID), MaybeClock(r.RequestedAt), MaybeClock(r.Deadline), why)
}

func notBefore(a AsOf, r backup.Record) string {
	if r.NextTryAt == nil || !r.NextTryAt.After(a.At) {
		return ""
	}
	return fmt.Sprintf(" Nothing is tried before %s.", Clock(*r.NextTryAt))
}

// worker returns the wait for a worker that has something to do, or for the part of Staffeln that keeps it from it.
func (r Reader) worker(a AsOf, todo string) Wait {
	if a.stopped != "" {
		return Wait{a.forReader(a.stopped), r.stoppedWords(a.stopped)}
	}
	return waitFor(backup.WaitWorker, "A worker, %s.", todo)
}

// stoppedWords returns what does not work in Staffeln, and to operators how to start it.
func (r Reader) stoppedWords(what backup.WaitCode) string {
	if r.Project != "" {
		return "The operator, to start a part of Staffeln that does not work."
	}
	return "The operator: " + stoppedWarnings[what].Words
}

// heldWords returns why a planned backup has not started.
func (r Reader) heldWords(code backup.WaitCode, one backup.Record) string {
	planned := fmt.Sprintf("for the %s planned at %s", one.Kind, Clock(one.ChangedAt))
	switch code { //nolint:exhaustive // the others wait for the next dispatch run
	case backup.WaitScheduler, backup.WaitQueue:
		return r.stoppedWords(code)
	case backup.WaitPause:
		return "The next dispatch run, after the end of a pause, " + planned + "."
	case backup.WaitService:
		return fmt.Sprintf("A cinder-backup service in availability zone %s: none is up there; %s.", one.Zone, planned)
	case backup.WaitThrottle:
		return cmp.Or(map[backup.Held]string{
			backup.Held(backup.WhileThrottle): "Cinder: it asks for fewer requests, so fewer backups start",
			backup.Held(backup.WhileAway):     "Cinder: most requests get no response, so fewer backups start",
			backup.Held(backup.WhileFailing):  "Cinder: most backups fail, so fewer backups start",
		}[one.Held], "Cinder") + "; " + planned + "."
	case backup.WaitCap:
		return "A free slot, " + planned + ": " + r.capWords(one.Held) + "."
	default:
		return fmt.Sprintf("The next dispatch run (every %s), %s: it starts unless a limit on running backups is reached.", r.Settings.PollPeriod, planned)
	}
}

// capWords names the limit that is reached; to operators also its setting.
func (r Reader) capWords(held backup.Held) string {
	limit, setting := "the limit on running backups", "STAFFELN_MAX_BACKUPS_IN_PROGRESS"
	switch held { //nolint:exhaustive // the others are about the total
	case backup.HeldByProject:
		limit, setting = "the limit on running backups of a project", "STAFFELN_MAX_BACKUPS_IN_PROGRESS_PER_PROJECT"
	case backup.HeldByZone:
		limit, setting = "the limit on running backups in an availability zone", "STAFFELN_MAX_BACKUPS_IN_PROGRESS_PER_ZONE"
	case backup.HeldByForcedFulls:
		limit, setting = "the limit on forced fulls", "STAFFELN_MAX_FORCED_FULLS"
	}
	if r.Project != "" {
		return limit + " is reached"
	}
	return limit + " (" + setting + ") is reached"
}

// plannedSentences say in one sentence why a planned backup does not run yet.
var plannedSentences = map[backup.WaitCode]string{
	backup.WaitCap:       "A backup is planned. It starts when a limit on running backups allows it.",
	backup.WaitService:   "A backup is planned, but no cinder-backup service is up in the volume's availability zone.",
	backup.WaitPause:     "A backup is planned. It starts after the end of the pause.",
	backup.WaitThrottle:  "A backup is planned. Fewer backups start while Cinder has problems.",
	backup.WaitDispatch:  "A backup is planned. It starts with the next dispatch run unless a limit on running backups is reached.",
	backup.WaitScheduler: "A backup is planned, but no scheduler is active to start it.",
	backup.WaitQueue:     "A backup is planned, but the queue does not take tasks.",
	backup.WaitWorker:    "A backup is planned, and a worker has to ask Cinder for it.",
	backup.WaitOperator:  "A backup is planned, but Staffeln itself is not working as it should. Its operator must take action.",
}

// Because returns a sentence with the reason why a volume is not protected now; empty if it is.
func (v *Explanation) Because() string {
	switch {
	case v.Protection == backup.Protected || v.Protection == backup.Unknown:
		return ""
	case v.Protection == backup.Gone && v.Links == 0:
		return "The volume is deleted, and no backup of it is left."
	case v.Protection == backup.Gone:
		return "The volume is deleted; " + Plural(v.Links, "backup of it is", "backups of it are") + " kept by the retention."
	}
	switch now, r := v.Now, v.progress; {
	case r != nil && r.State == backup.Overdue:
		return "The backup in progress is overdue. " + ReasonOf(r.Reason).Words()
	case now.Reason.Code == backup.Paused || now.Reason.Code == backup.ProjectGone || now.Reason.Code == backup.VolumeChanging || v.Protection == backup.Unprotected:
		return now.Reason.Words()
	case r != nil && r.State == backup.Planned:
		return plannedSentences[v.forReader(v.waitOf(*r))]
	case now.Reason.Code == backup.BackupInProgress:
		return now.Reason.Words()
	case v.Failure != nil:
		return v.Failure.Reason.Words()
	case backup.Action(now.Action) == backup.Create && v.stopped == backup.WaitScheduler && v.tenant:
		return "A backup is due, but Staffeln itself is not working as it should. Its operator must take action."
	case backup.Action(now.Action) == backup.Create && v.stopped == backup.WaitScheduler:
		return "A backup is due, but no scheduler is active to plan it."
	case backup.Action(now.Action) == backup.Create:
		return "A backup is due, and the next plan asks for it."
	default:
		return now.Reason.Words()
	}
}
