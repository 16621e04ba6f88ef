package chaos

import (
	"time"

	"staffeln/backup"
	"staffeln/internal/invariants"
)

// A shortening is a request for a shorter retention, by a tenant or by an attacker: since when it lasts, and the retention
// that plans saw before.
type shortening struct {
	since  time.Time // zero: no shorter retention is requested
	until  time.Time // when it was interrupted; zero: not interrupted
	former backup.Period
}

// noteShortening notes that the requested retention has changed.
func (env *environment) noteShortening(v *volume) {
	v.shortening = shortening{}
	if v.seen && !v.retention.IsZero() && v.seenRetention.Longer(env.now, v.retention) {
		v.shortening = shortening{since: env.now, former: v.seenRetention}
	}
}

// noteInterruption notes that the protection of a volume was taken away or given back. If a plan saw the volume unprotected, a
// shorter retention that was not yet in force waits its whole delay again, and the former promise holds until now.
func (env *environment) noteInterruption(v *volume) {
	h := &v.shortening
	switch {
	case h.since.IsZero():
	case !v.protected && h.until.IsZero() && env.now.Sub(h.since) < env.set.RetentionShortenDelay.Std():
		h.until = env.now
	case !v.protected, h.until.IsZero():
		*h = shortening{}
	default:
		const q = `SELECT EXISTS (SELECT FROM volumes WHERE id = $1 AND project_id = $2 AND NOT protected AND NOT unknown)`
		var noticed bool
		env.must(env.store.conn.QueryRow(env.ctx, q, v.id, v.project).Scan(&noticed))
		if noticed {
			env.tenancy.promises = append(env.tenancy.promises, invariants.Promise{Volume: v.id, Project: v.project, From: h.since, To: env.now, Retention: h.former})
			h.since = env.now
		}
		h.until = time.Time{}
	}
}

// hideShortening shows a shorter retention to one plan, and then makes the volume unprotected while the delay passes.
func (env *environment) hideShortening(v *volume) {
	p := env.leader()
	if !p.free() || !v.protected || v.server == "" || env.set.RetentionShortenDelay == 0 {
		return
	}
	env.setRetention(v, "1h")
	env.nextPlan()
	env.toggleProtection(v)
	env.nextPlan()
	env.advance(env.set.RetentionShortenDelay.Std())
	env.toggleProtection(v)
	env.nextPlan()
	env.nextRetention()
}
