package chaos

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"staffeln/internal/cloudsim"
	"staffeln/internal/evidence"
	"staffeln/internal/invariants"
)

// judge checks all invariants after everything has become idle.
func (env *environment) judge() {
	us := evidence.Us{User: env.sim.Cast().Service, Installation: env.identity(env.schedulers[0].cloud).Installation}
	events := env.sim.Journal()
	journal, gone := evidence.Journal(events, env.sim, us)
	for i, e := range journal {
		if e.Kind == invariants.Requested && e.Tag == "" {
			journal[i].Tag = env.tags[e.Backup]
		}
	}
	now, records, err := evidence.Records(env.ctx, env.store.conn)
	env.must(err)
	forgotten, err := evidence.Forgotten(env.ctx, env.store.conn)
	env.must(err)
	records = append(forgotten, records...)
	set := env.set
	found := invariants.Check(invariants.Facts{
		Now: now, Journal: journal, Records: records, Gone: gone,
		Limits:   invariants.Limits{Step: 20 * time.Minute, Removal: time.Hour, Reconcile: set.ReconcilePeriod.Std() + 10*time.Minute},
		Promises: env.allPromises(), ShortenDelay: set.RetentionShortenDelay.Std(), Grace: set.ProtectionGrace.Std(),
		Caps: evidence.Caps(set),
	})
	for _, v := range found {
		if !env.excused(v) {
			env.violate("%s", v)
		}
	}
	for _, e := range evidence.Alarms(events, nil) {
		env.violate("the cloud's journal has %s: %+v", e.Kind, e)
	}
	env.judgeRequests(journal)
	env.judgePoints("")
	env.judgeLeases()
}

// planView is the maximum age of the newest read of a volume when its backup is requested, with the handler's time.
const planView = 5*time.Minute + handlerTime

// excused reports whether a violation cannot be avoided: two backups at once if a request was executed after the client gave
// up (that both have records is another invariant), and a volume that was transferred after the plan's newest read.
func (env *environment) excused(v invariants.Violation) bool {
	return v.Invariant == invariants.Overlap && env.stray || v.Invariant == invariants.WrongProject && slices.ContainsFunc(env.tenancy.volumes, func(o *volume) bool {
		return o.id == v.Volume && env.askedAt(v).Sub(o.transferred) <= planView
	})
}

// askedAt returns when Cinder got the request whose execution caused the violation.
func (env *environment) askedAt(v invariants.Violation) time.Time {
	for _, d := range env.delayed {
		if late := v.At.Sub(d.asked); d.volume == v.Volume && late > 0 && late <= d.after+time.Second {
			return d.asked
		}
	}
	return v.At
}

// judgeRequests checks that Cinder got no second request for a backup that existed or was being created.
func (env *environment) judgeRequests(journal []invariants.Event) {
	there := map[string]string{} // backup ID by record ID
	for _, e := range journal {
		if e.Kind == invariants.Requested && e.Ours && !slices.ContainsFunc(env.tenancy.volumes, func(v *volume) bool { return v.id == e.Volume }) {
			env.violate("not a tenant's: asked for backup %s of %s, which is what a volume is migrated to", e.Backup, e.Volume)
		}
		switch {
		case e.Kind == invariants.Requested && e.Ours && e.Tag != "" && there[e.Tag] != "" && !env.stray:
			env.violate("asked twice: backup %s, when record %s had backup %s", e.Backup, e.Tag, there[e.Tag])
		case e.Kind == invariants.Requested && e.Ours && e.Tag != "":
			there[e.Tag] = e.Backup
		case e.Kind == invariants.Removed:
			maps.DeleteFunc(there, func(_, id string) bool { return id == e.Backup })
		}
	}
}

// judgeDeletion checks that a handler has read Cinder's backups before it requests a deletion, so it knows the dependents. A
// dependent is excused if Cinder's wrong clock dates it before its parent: lists do not name parents, so only Cinder's refusal
// shows such a dependent.
func (env *environment) judgeDeletion(a *actor, r *http.Request) {
	_, id, found := strings.Cut(r.URL.Path, "/backups/")
	if !found || r.Method != http.MethodDelete {
		return
	}
	b, there := env.sim.Backup(id)
	if !there {
		return
	}
	for _, c := range env.sim.BackupsOf(b.Volume) {
		if c.Parent == id && c.Project == b.Project && c.Created.Before(a.began) && !c.DataTimestamp.Before(b.DataTimestamp) {
			env.violate("dependents not checked: %s wants backup %s removed, and %s depends on it", a.name, id, c.ID)
		}
	}
}

// judgePoints checks that each protected volume has a restore point that is young enough. The volumes of one project are
// exempt.
func (env *environment) judgePoints(but string) {
	allowed := env.set.BackupMinInterval.Std() + 2*env.set.BackupServicePeriod.Std() + env.backupTime
	for _, v := range env.living() {
		// after a stuck backup was force-deleted, the volume's status is wrong: that is up to the operator of Cinder
		if is, _ := env.sim.Volume(v.id); !v.protected || v.project == but || is.Status != "available" && is.Status != "in-use" && is.Status != "backing-up" || env.stuckBackingUp(is) {
			continue
		}
		var newest, created time.Time
		for _, b := range env.sim.BackupsOf(v.id) {
			if b.User == env.sim.Cast().Service && b.Project == v.project && b.Status == "available" && b.Restorable && env.recordedAs(b.ID, "available") {
				newest, created = latest(newest, b.Asked), latest(created, b.Created) // by the cloud's own clock, because the clock of Cinder, which orders them, may be wrong
			}
		}
		newest = latest(newest, env.putOff[v.project])
		allowed := allowed
		if slices.ContainsFunc(env.sim.BackupsOf(v.id), func(b cloudsim.Backup) bool { return b.Asked.Before(newest) && b.Created.After(created) }) {
			// Cinder takes an older backup of a tenant for the newest one, and two incrementals may fail with that parent before a full
			// is made
			allowed += 2 * env.set.BackupServicePeriod.Std()
		}
		if age := env.now.Sub(newest); age > allowed {
			env.violate("late: the newest restore point of protected volume %s is %s old, at most %s are allowed", v.id, age, allowed)
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// stuckBackingUp reports whether a volume has the status backing-up without a backup in creation.
func (env *environment) stuckBackingUp(v cloudsim.Volume) bool {
	return v.Status == "backing-up" && !slices.ContainsFunc(env.sim.BackupsOf(v.ID), func(b cloudsim.Backup) bool { return b.Status == "creating" })
}

func (env *environment) recordedAs(backupID, state string) (is bool) {
	env.must(env.store.conn.QueryRow(env.ctx, `SELECT EXISTS (SELECT FROM records WHERE backup_id = $1 AND state = $2)`, backupID, state).Scan(&is))
	return is
}

// judgeLeases checks that there are no leases and no work in progress.
func (env *environment) judgeLeases() {
	const q = `SELECT coalesce(string_agg(id, ' '), '') FROM volumes WHERE lease_until > staffeln_now()`
	var leased string
	env.must(env.store.conn.QueryRow(env.ctx, q).Scan(&leased))
	if leased != "" {
		env.violate("leased, but no handler runs: %s", leased)
	}
	if env.workLeft() {
		var at string
		env.must(env.store.conn.QueryRow(env.ctx, `SELECT coalesce(string_agg(volume_id || ' ' || state || ' ' || reason || ' ' || coalesce(backup_id, ''), ', '), '')
			FROM records WHERE state IN ('planned', 'creating', 'overdue', 'deleting') OR state = 'failed' AND backup_id IS NOT NULL`).Scan(&at))
		env.violate("never at rest: %s", at)
	}
}

// names returns a replacer of IDs by short names, for the trace.
func (env *environment) names() *strings.Replacer {
	var pairs []string
	for i, v := range env.tenancy.volumes {
		pairs = append(pairs, v.id, "vol"+itoa(i+1))
	}
	for i, p := range env.tenancy.projects {
		pairs = append(pairs, p, "proj"+itoa(i+1))
	}
	pairs = append(pairs, env.sim.Cast().AdminProject, "admin", env.sim.Cast().Service, "us")
	known := map[string]bool{}
	for _, e := range env.sim.Journal() {
		if e.Backup != "" && !known[e.Backup] {
			known[e.Backup] = true
			pairs = append(pairs, e.Backup, "bak"+itoa(len(known)))
		}
	}
	for i, s := range env.sim.Servers() {
		pairs = append(pairs, s.ID, "serv"+itoa(i+1))
	}
	return strings.NewReplacer(pairs...)
}

// last returns the last n lines of the trace, which contain the violations too.
func (env *environment) last(n int) []string {
	return slices.Clone(env.lines[max(0, len(env.lines)-n):])
}
