package chaos

import (
	"time"

	"staffeln/backup"
	"staffeln/internal/invariants"
)

// A haste is the wish of a tenant, or of a thief, to have restore points removed sooner: since when a shorter retention is
// asked for, and what plans saw before that.
type haste struct {
	since time.Time // zero: nothing shorter is asked for
	until time.Time // that it was interrupted; zero: it goes on
	owed  backup.Period
}

// hastens notes that another retention is asked for.
func (env *environment) hastens(v *volume) {
	v.hasty = haste{}
	if v.seen && !v.retention.IsZero() && v.kept.Longer(env.now, v.retention) {
		v.hasty = haste{since: env.now, owed: v.kept}
	}
}

// interrupts notes that the protection of a volume was taken away or given back. Where a plan saw it unprotected, a shorter
// retention that was not in force by then waits its whole delay again: the promise before holds until now.
func (env *environment) interrupts(v *volume) {
	h := &v.hasty
	switch {
	case h.since.IsZero():
	case !v.protected && h.until.IsZero() && env.now.Sub(h.since) < env.set.RetentionShortenDelay.Std():
		h.until = env.now
	case !v.protected, h.until.IsZero():
		*h = haste{}
	default:
		const q = `SELECT EXISTS (SELECT FROM volumes WHERE id = $1 AND project_id = $2 AND NOT protected AND NOT unknown)`
		var noticed bool
		env.must(env.store.conn.QueryRow(env.ctx, q, v.id, v.project).Scan(&noticed))
		if noticed {
			env.tenancy.promises = append(env.tenancy.promises, invariants.Promise{Volume: v.id, Project: v.project, From: h.since, To: env.now, Retention: h.owed})
			h.since = env.now
		}
		h.until = time.Time{}
	}
}

// hides shows plans a shorter retention for a moment, and hides the volume from them while the delay passes.
func (env *environment) hides(v *volume) {
	p := env.leader()
	if !p.free() || !v.protected || v.server == "" || env.set.RetentionShortenDelay == 0 {
		return
	}
	env.asksForRetentionOf(v, "1h")
	env.plans()
	env.asksOtherwise(v)
	env.plans()
	env.pass(env.set.RetentionShortenDelay.Std())
	env.asksOtherwise(v)
	env.plans()
	env.looks()
}
