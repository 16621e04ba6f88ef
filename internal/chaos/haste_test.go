package chaos

import (
	"time"

	"staffeln/backup"
	"staffeln/internal/invariants"
)

// A haste is a tenant's, or a thief's, to have restore points removed sooner: since when a shorter retention is asked for,
// and what plans saw before that.
type haste struct {
	since time.Time // zero: nothing shorter is asked for
	until time.Time // that it was interrupted; zero: it goes on
	owed  backup.Period
}

// hastens notes that another retention is asked for.
func (w *world) hastens(v *volume) {
	v.hasty = haste{}
	if v.seen && !v.retention.IsZero() && v.kept.Longer(w.now, v.retention) {
		v.hasty = haste{since: w.now, owed: v.kept}
	}
}

// interrupts notes that the protection of a volume was taken away, or given back. Where a plan saw it without, a shorter
// retention that was not in force by then waits its whole delay anew: what was promised before holds until now.
func (w *world) interrupts(v *volume) {
	h := &v.hasty
	switch {
	case h.since.IsZero():
	case !v.protected && h.until.IsZero() && w.now.Sub(h.since) < w.set.RetentionShortenDelay.Std():
		h.until = w.now
	case !v.protected, h.until.IsZero():
		*h = haste{}
	default:
		const q = `SELECT EXISTS (SELECT FROM volumes WHERE id = $1 AND project_id = $2 AND NOT protected AND NOT unknown)`
		var noticed bool
		w.must(w.place.hand.QueryRow(w.ctx, q, v.id, v.project).Scan(&noticed))
		if noticed {
			w.estate.promises = append(w.estate.promises, invariants.Promise{Volume: v.id, Project: v.project, From: h.since, To: w.now, Retention: h.owed})
			h.since = w.now
		}
		h.until = time.Time{}
	}
}

// hides shows plans a shorter retention for a moment, and hides the volume from them while the delay goes by.
func (w *world) hides(v *volume) {
	p := w.leader()
	if !p.free() || !v.protected || v.server == "" || w.set.RetentionShortenDelay == 0 {
		return
	}
	w.asksForRetentionOf(v, "1h")
	w.plans()
	w.asksOtherwise(v)
	w.plans()
	w.pass(w.set.RetentionShortenDelay.Std())
	w.asksOtherwise(v)
	w.plans()
	w.looks()
}
