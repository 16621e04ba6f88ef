package chaos

import (
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// knowledge is the data of plans about a volume.
type knowledge struct {
	ID, Project        string
	Protected, Unknown bool
	Retention          int64 // retention in force, in seconds; 0: none
}

// known returns the data of plans, by volume.
func (env *environment) known() map[string]knowledge {
	const q = `SELECT id, project_id AS project, protected AND gone_at IS NULL AS protected, unknown,
		coalesce(extract(epoch FROM retention), 0)::bigint AS retention FROM volumes`
	rows, err := env.store.conn.Query(env.ctx, q)
	env.must(err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[knowledge])
	env.must(err)
	by := map[string]knowledge{}
	for _, one := range all {
		by[one.ID] = one
	}
	return by
}

// judgeKnown checks the data of a plan about a volume: it is protected as long as its tenant wants that, also if the
// cloud shows it wrong, and the retention in force is not shorter than any promise of the time of the delay.
func (env *environment) judgeKnown(v *volume, is knowledge) {
	if v.seen && v.protected && !v.gone && !is.Protected {
		env.violate("protection ended: of volume %s, which its tenant wants protected", v.id)
	}
	if is.Retention == 0 || is.Project != v.project || v.seenInProject.IsZero() {
		return
	}
	inForce, since := backup.Period{Clock: time.Duration(is.Retention) * time.Second}, env.now.Add(-env.set.RetentionShortenDelay.Std())
	for _, p := range env.allPromises() {
		binds := p.Volume == v.id && p.Project == v.project && !p.From.Before(v.seenInProject) && !p.From.After(env.now) && (p.To.IsZero() || p.To.After(since))
		if binds && p.Retention.Longer(env.now, inForce) {
			env.violate("shortened: volume %s is kept for %s, and %s is promised", v.id, inForce, p.Retention)
			return
		}
	}
}

// judgeStrangers checks that every protected volume is a tenant's, and not the target of a migration.
func (env *environment) judgeStrangers(known map[string]knowledge) {
	for _, id := range slices.Sorted(maps.Keys(known)) {
		if known[id].Protected && !slices.ContainsFunc(env.tenancy.volumes, func(v *volume) bool { return v.id == id }) {
			env.violate("not a tenant's: volume %s is protected, and is what a volume is migrated to", id)
		}
	}
}
