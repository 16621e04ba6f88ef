package chaos

import (
	"strings"

	"staffeln/tasks"
)

// noteLease notes that a handler has its volume's lease, and checks that no other handler holds it.
func (env *environment) noteLease(a *actor) {
	a.leased = env.now
	for _, p := range env.workers {
		for _, b := range p.actors {
			if a != b && b.run != nil && b.run.Volume.VolumeID == a.run.Volume.VolumeID && !b.leased.IsZero() && env.now.Sub(b.leased) < tasks.LeaseTime {
				env.violate("two at once: %s works on the volume, and %s holds its lease", a.name, b.name)
			}
		}
	}
}

// checkEnds checks after each turn and each handler that no volume has two records in progress, and that backups recorded as
// gone are gone.
func (env *environment) checkEnds() {
	const q = `SELECT coalesce(string_agg(backup_id || ' ' || state, ',' ORDER BY backup_id) FILTER (WHERE state IN ('lost', 'deleted') AND backup_id IS NOT NULL), ''),
		count(*) FILTER (WHERE state IN ('planned', 'creating', 'overdue')) - count(DISTINCT volume_id) FILTER (WHERE state IN ('planned', 'creating', 'overdue'))
		FROM records`
	var ended string
	var twice int
	env.must(env.store.conn.QueryRow(env.ctx, q).Scan(&ended, &twice))
	if twice > 0 {
		env.violate("overlap: %d volumes have more than one record in progress", twice)
	}
	if ended == env.ended {
		return
	}
	env.ended = ended
	for entry := range strings.SplitSeq(ended, ",") {
		id, state, _ := strings.Cut(entry, " ")
		if b, there := env.sim.Backup(id); there {
			env.violate("false end: recorded as %s, and Cinder has backup %s, which is %s", state, id, b.Status)
		}
	}
}

// mayNotWrite reports whether an actor has lost the right to write during a pause: a scheduler because of a newer term, a
// handler because its lease has expired.
func (env *environment) mayNotWrite(a *actor) bool {
	if a.run == nil {
		return a.process.term < env.term
	}
	return !a.leased.IsZero() && env.now.Sub(a.leased) >= tasks.LeaseTime
}

// tables returns a digest of the tables without the leases, which may be returned at any time; empty if it is not wanted.
func (env *environment) tables(wanted bool) (digest string) {
	if !wanted {
		return ""
	}
	const q = `SELECT md5(
		coalesce((SELECT string_agg(r::text, ';' ORDER BY r.id) FROM records r), '') ||
		coalesce((SELECT string_agg((to_jsonb(v) - 'lease_token' - 'lease_until' - 'lease_kind')::text, ';' ORDER BY v.id) FROM volumes v), '') ||
		coalesce((SELECT string_agg(l::text, ';') FROM leadership l), ''))`
	env.must(env.store.conn.QueryRow(env.ctx, q).Scan(&digest))
	return digest
}
