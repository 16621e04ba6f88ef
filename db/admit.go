package db

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// Caps bound what is in progress at a time; 0 = no bound.
type Caps struct {
	Total, PerProject, PerZone int
	ForcedFull                 int // fulls that the depth did not ask for
	// Stuck bounds how many that are far beyond their usual time leave their
	// place in Total to others.
	Stuck int
}

// An Admission is what one look at the queue came to.
type Admission struct {
	Admitted int
	Stuck    int            // in progress far beyond their usual time
	HeldBack int            // waiting in a zone without cinder-backup
	Caution  backup.Caution // why fewer were admitted in the whole cloud than the caps leave room for
	// Brakes are those that hold something back in a part of the cloud.
	Brakes map[backup.Place]backup.Brake
}

// Admit lets planned records through under the caps. Projects take turns;
// inside a project what an operator asked for comes first, then the volume with
// the oldest restore point; one that a cap holds back keeps no place for
// itself.
//
// One dead backend starves nobody else: what is far beyond its usual time keeps
// its place in its project's and zone's cap only, and what is overdue keeps
// none. Where no cinder-backup is up nothing begins, and while Cinder throttles,
// is away or fails most of what it is asked for, fewer do: of the project that
// meets it, and only where several do, of the zone or of the whole cloud.
//
// Count and choice are made in the transaction that holds the term, and nobody
// else admits: what is in progress can only get less until it is written.
func (b *Beat) Admit(ctx context.Context, caps Caps, outage backup.Outage) (Admission, error) {
	admit := inOrder("records", `id = ANY($1) AND `+isWaiting) + `
		UPDATE records SET admitted_at = staffeln_now() WHERE id IN (SELECT id FROM locked)`
	// what is paused gives its place back, and waits for admission anew
	leave := inOrder("records", isAdmitted+` AND `+paused) + `
		UPDATE records SET admitted_at = NULL WHERE id IN (SELECT id FROM locked)`
	var a Admission
	err := b.reigning(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, leave); err != nil {
			return err
		}
		r, paces, err := roomUnder(ctx, tx, b.Now, caps)
		if err != nil {
			return err
		}
		a.Stuck = r.stuck
		if !r.left() {
			return nil
		}
		queue, err := candidates(ctx, tx)
		if err != nil {
			return err
		}
		all := len(queue)
		queue = slices.DeleteFunc(queue, func(c candidate) bool { return outage.Hits(c.Zone) })
		if a.HeldBack = all - len(queue); a.HeldBack > 0 {
			a.Caution = backup.WhileOutage
		}
		brakes := backup.BrakesOf(paces, zonesOf(queue, paces))
		chosen := r.choose(queue, brakes)
		a.brake(brakes)
		if len(chosen) == 0 {
			return nil
		}
		tag, err := tx.Exec(ctx, admit, chosen)
		a.Admitted = int(tag.RowsAffected())
		return err
	})
	if err != nil {
		return Admission{}, fmt.Errorf("admit records: %w", err)
	}
	return a, nil
}

// candidates are the planned records that wait and are not paused: what an
// operator asked for first, then those that need it most.
func candidates(ctx context.Context, tx pgx.Tx) ([]candidate, error) {
	const q = `
		SELECT id, project_id, availability_zone AS zone, forced_full FROM records WHERE ` + isWaiting + ` AND NOT ` + paused + `
		ORDER BY manual DESC, last_point_at NULLS FIRST, planned_at, id`
	rows, err := tx.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[candidate])
}

// zonesOf names the zones that anything is known of.
func zonesOf(queue []candidate, paces map[backup.Place]backup.Pace) map[string]bool {
	zones := map[string]bool{}
	for _, c := range queue {
		zones[c.Zone] = true
	}
	for at := range paces {
		zones[at.Zone] = true
	}
	return zones
}

// brake notes what held something back.
func (a *Admission) brake(brakes backup.Brakes) {
	for at, one := range brakes {
		switch {
		case one.Held == 0:
		case at == backup.Place{}:
			a.Caution = one.Why
		default:
			if a.Brakes == nil {
				a.Brakes = map[backup.Place]backup.Brake{}
			}
			a.Brakes[at] = *one
		}
	}
}
