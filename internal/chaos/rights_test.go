package chaos

import (
	"strings"

	"staffeln/tasks"
)

// leases notes that a handler has its volume's lease, which nobody else may have then.
func (w *world) leases(a *actor) {
	a.leased = w.now
	for _, p := range w.workers {
		for _, b := range p.actors {
			if a != b && b.run != nil && b.run.Volume.VolumeID == a.run.Volume.VolumeID && !b.leased.IsZero() && w.now.Sub(b.leased) < tasks.Lease {
				w.violate("two at once: %s works on the volume, and %s holds its lease", a.name, b.name)
			}
		}
	}
}

// ends asks, after each turn and each handler, whether no volume has two records in progress, and whether what is
// recorded as gone is gone.
func (w *world) ends() {
	const q = `SELECT coalesce(string_agg(backup_id || ' ' || state, ',' ORDER BY backup_id) FILTER (WHERE state IN ('lost', 'deleted') AND backup_id IS NOT NULL), ''),
		count(*) FILTER (WHERE state IN ('planned', 'creating', 'overdue')) - count(DISTINCT volume_id) FILTER (WHERE state IN ('planned', 'creating', 'overdue'))
		FROM records`
	var ended string
	var twice int
	w.must(w.place.hand.QueryRow(w.ctx, q).Scan(&ended, &twice))
	if twice > 0 {
		w.violate("overlap: %d volumes have more than one record in progress", twice)
	}
	if ended == w.ended {
		return
	}
	w.ended = ended
	for entry := range strings.SplitSeq(ended, ",") {
		id, state, _ := strings.Cut(entry, " ")
		if b, there := w.sim.Backup(id); there {
			w.violate("false end: recorded as %s, and Cinder has backup %s, which is %s", state, id, b.Status)
		}
	}
}

// rightIsOver tells whether one who hung has lost the right to write: a scheduler by a newer term, a handler because
// the lease that it took has run out.
func (w *world) rightIsOver(a *actor) bool {
	if a.run == nil {
		return a.process.term < w.term
	}
	return !a.leased.IsZero() && w.now.Sub(a.leased) >= tasks.Lease
}

// tables is a digest of what stands in the tables, but for the leases, which may be given back at any time; empty where
// it is not wanted.
func (w *world) tables(wanted bool) (digest string) {
	if !wanted {
		return ""
	}
	const q = `SELECT md5(
		coalesce((SELECT string_agg(r::text, ';' ORDER BY r.id) FROM records r), '') ||
		coalesce((SELECT string_agg((to_jsonb(v) - 'lease_token' - 'lease_until' - 'lease_kind')::text, ';' ORDER BY v.id) FROM volumes v), '') ||
		coalesce((SELECT string_agg(l::text, ';') FROM leadership l), ''))`
	w.must(w.place.hand.QueryRow(w.ctx, q).Scan(&digest))
	return digest
}
