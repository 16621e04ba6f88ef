package doctor

import (
	"fmt"
	"slices"

	"staffeln/backup"
)

// Judge returns the findings of each check in a fixed order; a check without a problem has one finding with the severity OK.
func Judge(f Facts) []Result {
	return slices.Concat(
		configuration(f), database(f.Database), queue(f.Queue), cloud(f.Cloud), projects(f), compared(f), scheduler(f), protection(f), deleteCheck(f), forecast(f),
	)
}

// findings collects the findings of one check.
type findings struct {
	check string
	found []Result
}

func (v *findings) add(s Severity, do, format string, args ...any) {
	v.found = append(v.found, Result{v.check, s, fmt.Sprintf(format, args...), do})
}

func (v *findings) orOK(format string, args ...any) []Result {
	if len(v.found) == 0 {
		v.add(OK, "", format, args...)
	}
	return v.found
}

func configuration(f Facts) []Result {
	v := findings{check: "configuration"}
	set := f.Settings
	if set.AllowShortPeriods {
		v.add(Warning, "unset it: it is for tests and demonstrations", "STAFFELN_ALLOW_SHORT_PERIODS is set")
	}
	if set.MinRestorePoints == 0 {
		v.add(Warning, "set it to 1 or more", "STAFFELN_MIN_RESTORE_POINTS is 0: after a retention time of failing backups a volume has none left")
	}
	if interval := set.BackupMinInterval.Std(); interval > 0 && !set.RetentionTime.IsZero() && !f.Now.Add(interval).Before(set.RetentionTime.After(f.Now)) {
		v.add(Warning, "keep backups for several intervals", "STAFFELN_RETENTION_TIME (%s) is no longer than the interval (%s)", set.RetentionTime, set.BackupMinInterval)
	}
	if set.RetentionShortenDelay == 0 {
		v.add(Warning, "set it to 7d: with a stolen tenant password an attacker can have the tenant's backups removed today", "STAFFELN_RETENTION_SHORTEN_DELAY is 0")
	}
	if set.MaxBackupsInProgress == 0 {
		v.add(Warning, "set it to what cinder-backup and its storage can do", "STAFFELN_MAX_BACKUPS_IN_PROGRESS is 0: all due backups start at once")
	}
	return append(v.orOK("an interval of %s, %d incrementals per full, kept for %s", set.BackupMinInterval, set.FullBackupDepth, set.RetentionTime),
		Result{Check: v.check, Severity: OK, Text: lateness(set.RPO())},
		Result{Check: v.check, Severity: OK, Text: f.ConfiguredBy})
}

// lateness returns when a volume is late, and why then.
func lateness(rpo backup.RPO) string {
	text := fmt.Sprintf("a volume is late after %s: interval %s, grace %s, plus its usual duration", backup.Span(rpo.Of(0)), backup.Span(rpo.Due), backup.Span(rpo.Grace))
	if rpo.Most > 0 {
		text += ", at most " + backup.Span(rpo.Most) + " in all (STAFFELN_RPO_GRACE)"
	}
	return text
}

// oldestPostgres is the oldest release that still gets fixes.
const oldestPostgres = 14

func database(d DatabaseFacts) []Result {
	v := findings{check: "database"}
	if d.Fault != "" {
		v.add(Failing, "check STAFFELN_DATABASE_URL and the server; nothing works without it", "%s", d.Fault)
		return v.found
	}
	if d.Recovery {
		v.add(Failing, "point STAFFELN_DATABASE_URL to the primary", "this Postgres is a replica: it can't be written to")
	}
	if !d.Fsync {
		v.add(Failing, "set fsync = on", "fsync is off: a power failure loses records, and their backups become orphans")
	}
	if d.SynchronousCommit == "off" {
		v.add(Warning, "set synchronous_commit = on", "synchronous_commit is off: a crash loses the last commits")
	}
	if d.Pooled {
		v.add(Failing, "connect directly, or through session pooling", "a transaction pooler is between us and Postgres: the leader's lock does not hold, two schedulers may lead")
	}
	if d.Version/10000 < oldestPostgres {
		v.add(Warning, "upgrade it", "Postgres %d is no longer maintained", d.Version/10000)
	}
	if d.Replicas == 0 && d.BackedUp {
		return v.orOK("Postgres %d, writable, no replica; the operator states that backups of it exist (STAFFELN_DATABASE_BACKED_UP)", d.Version/10000)
	}
	if d.Replicas == 0 {
		return append(v.orOK("Postgres %d, writable", d.Version/10000),
			Result{v.check, Warning, "no replica is connected", "set one up, or back this database up and state that with STAFFELN_DATABASE_BACKED_UP=true: only its records show which backups in Cinder are ours"})
	}
	return v.orOK("Postgres %d, writable, with %d replicas", d.Version/10000, d.Replicas)
}

func queue(q QueueFacts) []Result {
	v := findings{check: "queue"}
	if q.Fault != "" {
		v.add(Failing, "check STAFFELN_REDIS_URL and the server; nothing is dispatched meanwhile, and no record is lost", "%s", q.Fault)
		return v.found
	}
	if q.Workers == 0 {
		v.add(Failing, "start one with `staffeln worker`; the logs of the others show why they ended", "no worker is alive: nothing is backed up, polled or removed")
	}
	if q.Hidden {
		v.add(Unknown, "check it yourself: it needs appendonly yes and maxmemory-policy noeviction", "Redis %s does not let us read its configuration", q.Version)
		return v.found
	}
	if q.Eviction != "noeviction" {
		v.add(Failing, "set maxmemory-policy noeviction", "Redis evicts keys (%s): an evicted task blocks its volume", q.Eviction)
	}
	if !q.AppendOnly {
		v.add(Warning, "set appendonly yes", "Redis has no append-only file: after each restart all tasks must be dispatched again")
	}
	if q.MaxBytes > 0 && q.UsedBytes*10 > q.MaxBytes*8 {
		v.add(Warning, "raise maxmemory", "Redis uses %d of %d MiB", q.UsedBytes>>20, q.MaxBytes>>20)
	}
	return v.orOK("Redis %s, append-only file, never evicts; workers alive: %d", q.Version, q.Workers)
}

func compared(f Facts) []Result {
	v := findings{check: "invariants"}
	if f.CompareFault != "" {
		v.add(Unknown, "fix what the other checks name, then run doctor again", "records and Cinder could not be compared: %s", f.CompareFault)
	}
	for _, violation := range f.Violations {
		v.add(Failing, "see docs/operations.md under `"+string(violation.Invariant)+"`", "%s", violation)
	}
	return v.orOK("records and Cinder agree")
}

// unread adds a finding if the database could not be read, and reports whether that is so.
func (v *findings) unread(f Facts) bool {
	if f.Database.Fault != "" {
		v.add(Unknown, "fix the database, then run doctor again", "the database can't be read")
	}
	return f.Database.Fault != ""
}

func scheduler(f Facts) []Result {
	v := findings{check: "scheduler"}
	if v.unread(f) {
		return v.found
	}
	for _, warning := range f.Warnings {
		v.add(Failing, "see its log", "%s", warning)
	}
	if f.DryRun {
		v.add(Warning, "unset STAFFELN_DRY_RUN and restart schedulers and workers, when backups are to begin", "a dry run: backups and removals are planned, and nothing begins")
	}
	if f.Pauses > 0 {
		v.add(Warning, "`staffeln status` shows them, `staffeln resume` ends them", "pauses in force: %d; no new backup starts there", f.Pauses)
	}
	return v.orOK("a scheduler is active, and its runs are in time")
}

func protection(f Facts) []Result {
	v := findings{check: "protection"}
	if v.unread(f) {
		return v.found
	}
	if f.FirstPlan != "" {
		v.add(Unknown, "wait for it; if a scheduler leads and none comes, its log shows why", "no plan has run yet: nothing is known about volumes; the first one %s", f.FirstPlan)
		return v.found
	}
	if f.Late > 0 {
		v.add(Failing, "`staffeln status` lists them, `staffeln explain VOLUME` shows why", "%d volumes are late: their newest restore point is too old, or they never got one", f.Late)
	}
	return v.orOK("%d volumes are protected, %d wait for their first restore point", f.Covered, f.Waiting)
}
