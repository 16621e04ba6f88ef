package chaos

import (
	"time"

	"staffeln/backup"
	"staffeln/internal/invariants"
)

// A shortening is a request for a shorter retention, by a tenant or by an attacker: since when it lasts, and the retention
// that plans saw before.
type haste struct {
	since time.Time // zero: no shorter retention is requested
	until time.Time // when it was interrupted; zero: not interrupted
	owed  backup.Period
}

// noteShortening notes that the requested retention has changed.
func (env *environment) hastens(v *volume) {
	v.hasty = haste{}
	if v.seen && !v.retention.IsZero() && v.kept.Longer(env.now, v.retention) {
		v.hasty = haste{since: env.now, owed: v.kept}
	}
}

// noteInterruption notes that the protection of a volume was taken away or given back. If a plan saw the volume unprotected, a
// shorter retention that was not yet in force waits its whole delay again, and the former promise holds until now.
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

// hideShortening shows a shorter retention to one plan, and then makes the volume unprotected while the delay passes.
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
