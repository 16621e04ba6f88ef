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

// judge asks, of a world at rest, whether all that must hold does.
func (w *world) judge() {
	us := evidence.Us{User: w.sim.Cast().Service, Installation: w.identity(w.schedulers[0].cloud).Installation}
	events := w.sim.Journal()
	journal, gone := evidence.Journal(events, w.sim, us)
	for i, e := range journal {
		if e.Kind == invariants.Requested && e.Tag == "" {
			journal[i].Tag = w.tags[e.Backup]
		}
	}
	now, records, err := evidence.Records(w.ctx, w.place.hand)
	w.must(err)
	forgotten, err := evidence.Forgotten(w.ctx, w.place.hand)
	w.must(err)
	records = append(forgotten, records...)
	set := w.set
	found := invariants.Check(invariants.Facts{
		Now: now, Journal: journal, Records: records, Gone: gone,
		Limits:   invariants.Limits{Step: 20 * time.Minute, Removal: time.Hour, Sweep: set.SweepPeriod.Std() + 10*time.Minute},
		Promises: w.allPromises(), ShortenDelay: set.RetentionShortenDelay.Std(), Grace: set.ProtectionGrace.Std(),
		Caps: evidence.Caps(set),
	})
	for _, v := range found {
		if !w.excused(v) {
			w.violate("%s", v)
		}
	}
	for _, e := range events {
		if e.Kind == cloudsim.ChainDestroyed || e.Kind == cloudsim.ForeignDeletion || e.Kind == cloudsim.UnknownRoute {
			w.violate("the cloud's journal has %s: %+v", e.Kind, e)
		}
	}
	w.judgeRequests(journal)
	w.judgePoints("")
	w.judgeLeases()
}

// planView is how old the newest look at a volume may be when its backup is asked for, with the time of a handler.
const planView = 5*time.Minute + handlerTime

// excused tells of what can't be avoided: two backups at once where a request was executed after it had been given up
// (that both have records is another law), and a volume that changed hands after the newest look at it.
func (w *world) excused(v invariants.Violation) bool {
	return v.Invariant == invariants.Overlap && w.stray || v.Invariant == invariants.WrongProject && slices.ContainsFunc(w.estate.volumes, func(o *volume) bool {
		return o.id == v.Volume && w.askedAt(v).Sub(o.transferred) <= planView
	})
}

// askedAt is when Cinder was asked for what it did at that time.
func (w *world) askedAt(v invariants.Violation) time.Time {
	for _, d := range w.delayed {
		if late := v.At.Sub(d.asked); d.volume == v.Volume && late > 0 && late <= d.after+time.Second {
			return d.asked
		}
	}
	return v.At
}

// judgeRequests asks whether Cinder was asked again for a backup that it had, or was making.
func (w *world) judgeRequests(journal []invariants.Event) {
	there := map[string]string{} // backup by record
	for _, e := range journal {
		if e.Kind == invariants.Requested && e.Ours && !slices.ContainsFunc(w.estate.volumes, func(v *volume) bool { return v.id == e.Volume }) {
			w.violate("not a tenant's: asked for backup %s of %s, which is what a volume is migrated to", e.Backup, e.Volume)
		}
		switch {
		case e.Kind == invariants.Requested && e.Ours && e.Tag != "" && there[e.Tag] != "" && !w.stray:
			w.violate("asked twice: backup %s, when record %s had backup %s", e.Backup, e.Tag, there[e.Tag])
		case e.Kind == invariants.Requested && e.Ours && e.Tag != "":
			there[e.Tag] = e.Backup
		case e.Kind == invariants.Removed:
			maps.DeleteFunc(there, func(_, id string) bool { return id == e.Backup })
		}
	}
}

// judgeDeletion asks, of a handler that wants a backup removed, whether it looked at what Cinder has before: then it
// knows what stands on that. But for what Cinder, whose clock was wrong, dates before it: lists name no parents, so only
// Cinder's refusal can tell then.
func (w *world) judgeDeletion(a *actor, r *http.Request) {
	_, id, found := strings.Cut(r.URL.Path, "/backups/")
	if !found || r.Method != http.MethodDelete {
		return
	}
	b, there := w.sim.Backup(id)
	if !there {
		return
	}
	for _, c := range w.sim.BackupsOf(b.Volume) {
		if c.Parent == id && c.Project == b.Project && c.Created.Before(a.began) && !c.DataTimestamp.Before(b.DataTimestamp) {
			w.violate("not looked: %s wants backup %s removed, and %s stands on it", a.name, id, c.ID)
		}
	}
}

// judgePoints asks whether each protected volume has a restore point that is young enough, but those of one project.
func (w *world) judgePoints(but string) {
	allowed := w.set.BackupMinInterval.Std() + 2*w.set.BackupServicePeriod.Std() + w.backupTime
	for _, v := range w.living() {
		// a backup that was stuck and removed by force leaves its volume as it is: that is for Cinder's operator
		if is, _ := w.sim.Volume(v.id); !v.protected || v.project == but || is.Status != "available" && is.Status != "in-use" && is.Status != "backing-up" || w.left(is) {
			continue
		}
		var newest, created time.Time
		for _, b := range w.sim.BackupsOf(v.id) {
			if b.User == w.sim.Cast().Service && b.Project == v.project && b.Status == "available" && b.Restorable && w.recordedAs(b.ID, "available") {
				newest, created = latest(newest, b.Asked), latest(created, b.Created) // by the cloud's own clock; Cinder's, which orders them, may be wrong
			}
		}
		newest = latest(newest, w.putOff[v.project])
		allowed := allowed
		if slices.ContainsFunc(w.sim.BackupsOf(v.id), func(b cloudsim.Backup) bool { return b.Asked.Before(newest) && b.Created.After(created) }) {
			// Cinder takes a tenant's older backup for the newest, and two incrementals may fail on it before a full is made
			allowed += 2 * w.set.BackupServicePeriod.Std()
		}
		if age := w.now.Sub(newest); age > allowed {
			w.violate("late: the newest restore point of protected volume %s is %s old, at most %s are allowed", v.id, age, allowed)
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// left tells whether Cinder calls a volume busy that nothing is done with.
func (w *world) left(v cloudsim.Volume) bool {
	return v.Status == "backing-up" && !slices.ContainsFunc(w.sim.BackupsOf(v.ID), func(b cloudsim.Backup) bool { return b.Status == "creating" })
}

func (w *world) recordedAs(backupID, state string) (is bool) {
	w.must(w.place.hand.QueryRow(w.ctx, `SELECT EXISTS (SELECT FROM records WHERE backup_id = $1 AND state = $2)`, backupID, state).Scan(&is))
	return is
}

// judgeLeases asks whether anything is still under way where nobody is at work.
func (w *world) judgeLeases() {
	const q = `SELECT coalesce(string_agg(id, ' '), '') FROM volumes WHERE lease_until > staffeln_now()`
	var leased string
	w.must(w.place.hand.QueryRow(w.ctx, q).Scan(&leased))
	if leased != "" {
		w.violate("leased, and nobody is at work: %s", leased)
	}
	if w.busy() {
		var at string
		w.must(w.place.hand.QueryRow(w.ctx, `SELECT coalesce(string_agg(volume_id || ' ' || state || ' ' || reason || ' ' || coalesce(backup_id, ''), ', '), '')
			FROM records WHERE state IN ('planned', 'creating', 'overdue', 'deleting') OR state = 'failed' AND backup_id IS NOT NULL`).Scan(&at))
		w.violate("never at rest: %s", at)
	}
}

// names are what the trace calls the things of a run, for people.
func (w *world) names() *strings.Replacer {
	var pairs []string
	for i, v := range w.estate.volumes {
		pairs = append(pairs, v.id, "vol"+itoa(i+1))
	}
	for i, p := range w.estate.projects {
		pairs = append(pairs, p, "proj"+itoa(i+1))
	}
	pairs = append(pairs, w.sim.Cast().AdminProject, "admin", w.sim.Cast().Service, "us")
	known := map[string]bool{}
	for _, e := range w.sim.Journal() {
		if e.Backup != "" && !known[e.Backup] {
			known[e.Backup] = true
			pairs = append(pairs, e.Backup, "bak"+itoa(len(known)))
		}
	}
	for i, s := range w.sim.Servers() {
		pairs = append(pairs, s.ID, "serv"+itoa(i+1))
	}
	return strings.NewReplacer(pairs...)
}

// last are the last lines of the trace, and those of the violations.
func (w *world) last(n int) []string {
	return slices.Clone(w.lines[max(0, len(w.lines)-n):])
}
