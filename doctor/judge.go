package doctor

import (
	"fmt"
	"slices"
)

// Judge says about each thing that was looked at what is wrong, or that nothing is; in a fixed order.
func Judge(f Facts) []Finding {
	return slices.Concat(
		configuration(f), database(f.Database), queue(f.Queue), cloud(f.Cloud), projects(f), lawful(f), scheduler(f), protection(f), deleteCheck(f), forecast(f),
	)
}

// verdicts gathers the findings of one check; where there are none it is as it should be.
type verdicts struct {
	check string
	found []Finding
}

func (v *verdicts) say(s Severity, do, format string, args ...any) {
	v.found = append(v.found, Finding{v.check, s, fmt.Sprintf(format, args...), do})
}

func (v *verdicts) or(format string, args ...any) []Finding {
	if len(v.found) == 0 {
		v.say(OK, "", format, args...)
	}
	return v.found
}

func configuration(f Facts) []Finding {
	v := verdicts{check: "configuration"}
	set := f.Settings
	if set.AllowShortPeriods {
		v.say(Warning, "unset it: it is for tests and demonstrations", "STAFFELN_ALLOW_SHORT_PERIODS is set")
	}
	if set.MinRestorePoints == 0 {
		v.say(Warning, "set it to 1 or more", "STAFFELN_MIN_RESTORE_POINTS is 0: after a retention time of failing backups a volume has none left")
	}
	if interval := set.BackupMinInterval.Std(); interval > 0 && !set.RetentionTime.IsZero() && !f.Now.Add(interval).Before(set.RetentionTime.After(f.Now)) {
		v.say(Warning, "keep backups for several intervals", "STAFFELN_RETENTION_TIME (%s) is no longer than the interval (%s)", set.RetentionTime, set.BackupMinInterval)
	}
	if set.RetentionShortenDelay == 0 {
		v.say(Warning, "set it to 7d: whoever steals a tenant's password can have us remove the tenant's backups today", "STAFFELN_RETENTION_SHORTEN_DELAY is 0")
	}
	if set.MaxBackupsInProgress == 0 {
		v.say(Warning, "set it to what cinder-backup and its storage carry", "STAFFELN_MAX_BACKUPS_IN_PROGRESS is 0: all that is due falls on cinder-backup at once")
	}
	return v.or("an interval of %s, %d incrementals per full, kept for %s", set.BackupMinInterval, set.FullBackupDepth, set.RetentionTime)
}

// oldestPostgres is the oldest one that its makers still mend.
const oldestPostgres = 14

func database(d Database) []Finding {
	v := verdicts{check: "database"}
	if d.Fault != "" {
		v.say(Failing, "see above; nothing works without it", "%s", d.Fault)
		return v.found
	}
	if d.Recovery {
		v.say(Failing, "point STAFFELN_DATABASE_URL to the primary", "this Postgres is a replica: it can't be written to")
	}
	if !d.Fsync {
		v.say(Failing, "set fsync = on", "fsync is off: a power failure loses records, and with them track of backups")
	}
	if d.SynchronousCommit == "off" {
		v.say(Warning, "set synchronous_commit = on", "synchronous_commit is off: a crash loses the last commits")
	}
	if d.Pooled {
		v.say(Failing, "connect directly, or through session pooling", "something pools transactions between us and Postgres: the leader's lock does not hold, two schedulers may lead")
	}
	if d.Version/10000 < oldestPostgres {
		v.say(Warning, "upgrade it", "Postgres %d is no longer maintained", d.Version/10000)
	}
	if d.Replicas == 0 {
		return append(v.or("Postgres %d, writable", d.Version/10000),
			Finding{v.check, Warning, "no replica is connected", "have one, or a backup of this database: it is how backups in Cinder are known as ours"})
	}
	return v.or("Postgres %d, writable, with %d replicas", d.Version/10000, d.Replicas)
}

func queue(q Queue) []Finding {
	v := verdicts{check: "queue"}
	if q.Fault != "" {
		v.say(Failing, "nothing is dispatched without it; no record is lost by it", "%s", q.Fault)
		return v.found
	}
	if q.Workers == 0 {
		v.say(Failing, "start one: `staffeln worker`; the log of the others says why they ended", "no worker is alive: nothing is backed up, looked at or removed")
	}
	if q.Hidden {
		v.say(Unknown, "look yourself: it needs appendonly yes and maxmemory-policy noeviction", "Redis %s does not tell us its configuration", q.Version)
		return v.found
	}
	if q.Eviction != "noeviction" {
		v.say(Failing, "set maxmemory-policy noeviction", "Redis evicts keys (%s): tasks would block their volumes", q.Eviction)
	}
	if !q.AppendOnly {
		v.say(Warning, "set appendonly yes", "Redis keeps no append-only file: each of its restarts costs a dispatch run")
	}
	if q.MaxBytes > 0 && q.UsedBytes*10 > q.MaxBytes*8 {
		v.say(Warning, "give it more", "Redis uses %d of %d MiB", q.UsedBytes>>20, q.MaxBytes>>20)
	}
	return v.or("Redis %s, append-only file, never evicts; workers alive: %d", q.Version, q.Workers)
}

func lawful(f Facts) []Finding {
	v := verdicts{check: "laws"}
	if f.LawsFault != "" {
		v.say(Unknown, "mend what the other checks name, then look again", "records and Cinder could not be compared: %s", f.LawsFault)
	}
	for _, broken := range f.Broken {
		v.say(Failing, "see docs/operations.md under `"+string(broken.Invariant)+"`", "%s", broken)
	}
	return v.or("records and Cinder agree")
}

// unread says of what stands in the database that it could not be looked at.
func (v *verdicts) unread(f Facts) bool {
	if f.Database.Fault != "" {
		v.say(Unknown, "mend the database, then look again", "the database can't be read")
	}
	return f.Database.Fault != ""
}

func scheduler(f Facts) []Finding {
	v := verdicts{check: "scheduler"}
	if v.unread(f) {
		return v.found
	}
	for _, trouble := range f.Troubles {
		v.say(Failing, "see its log", "%s", trouble)
	}
	if f.Pauses > 0 {
		v.say(Warning, "`staffeln status` shows them, `staffeln resume` ends them", "pauses in force: %d; nothing new starts there", f.Pauses)
	}
	return v.or("one leads, and its beats are in time")
}

func protection(f Facts) []Finding {
	v := verdicts{check: "protection"}
	if v.unread(f) {
		return v.found
	}
	if f.Late > 0 {
		v.say(Failing, "`staffeln status` names them, `staffeln explain VOLUME` says why", "%d volumes are late: their newest restore point is too old, or they never got one", f.Late)
	}
	return v.or("%d volumes have a young restore point, %d wait for their first", f.Covered, f.Waiting)
}
