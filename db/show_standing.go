package db

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// The ways in which a volume stands, in the words of the metrics.
const (
	Protected   = "protected"   // its newest restore point is young enough
	Late        = "late"        // its newest restore point is past the RPO, or it is protected for as long and has none
	Waiting     = "waiting"     // for its first restore point, and not late
	Unprotected = "unprotected" // no server of its asks for backups
	Unknown     = "unknown"     // the newest plan did not see enough to tell
	Gone        = "gone"        // the volume is no more
)

// Standings lists them as people read them.
var Standings = []string{Protected, Late, Waiting, Unprotected, Unknown, Gone}

// A Standing is how one volume stands now.
type Standing struct {
	ID, Name               string
	ProjectID, ProjectName string
	ServerID, ServerName   string
	SizeGiB                int
	Reason                 backup.Reason // of the newest decision; [backup.NotSeen] where the newest plan made none
	NewestAt               *time.Time    // data timestamp of the newest restore point
	ProtectedSince         *time.Time    // in its project; nil: it is not
	Standing               string        // one of [Standings]
}

// LateSince is since when it is late, for the age beyond which one is; nil: it is not.
func (s Standing) LateSince(late time.Duration) *time.Time {
	begins := cmp.Or(s.NewestAt, s.ProtectedSince)
	if s.Standing != Late || begins == nil {
		return nil
	}
	return new(begins.Add(late))
}

// standing is each volume and how it stands: a plan that can tell nothing of a
// volume leaves the decision before as it was, with its time. One that is past
// the RPO is late all the same: a cloud that is away must not end an alarm.
// Restore points of a project that owned it before are not its owner's.
const standing = `(
	SELECT v.id, v.name, v.project_id, v.project_name, v.server_id, v.server_name, v.size_gib,
		CASE WHEN unseen AND v.gone_at IS NULL THEN 'not_seen' ELSE v.reason END AS reason, newest_at, v.protected_since, CASE
		WHEN v.gone_at IS NOT NULL THEN 'gone'
		WHEN v.protected AND coalesce(newest_at, v.protected_since) < @late THEN 'late'
		WHEN unseen THEN 'unknown'
		WHEN NOT v.protected THEN 'unprotected'
		WHEN newest_at IS NULL THEN 'waiting'
		ELSE 'protected' END AS standing
	FROM volumes v CROSS JOIN LATERAL (SELECT v.unknown OR v.decided_at IS NULL AS unseen) seen CROSS JOIN LATERAL (
		SELECT max(data_timestamp) AS newest_at FROM records WHERE volume_id = v.id AND project_id = v.project_id AND ` + isRestorePoint + `) newest`

// standingOf is [standing] of one project's volumes, or of all.
func standingOf(project string) string {
	if project == "" {
		return standing + `) standing`
	}
	return standing + ` WHERE v.project_id = @project) standing`
}

// Counts returns how many volumes stand in each way; late is the age beyond
// which one is late. A project's ID counts only its volumes.
func (l *Look) Counts(ctx context.Context, late time.Duration, project string) (map[string]int, error) {
	rows, err := l.tx.Query(ctx, `SELECT standing, count(*)::int AS volumes FROM `+standingOf(project)+` GROUP BY standing`, l.standingArgs(late, project))
	if err != nil {
		return nil, fmt.Errorf("count volumes: %w", err)
	}
	counts := map[string]int{}
	var way string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&way, &n}, func() error { counts[way] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count volumes: %w", err)
	}
	return counts, nil
}

// Standing returns the volumes that stand in one of the given ways, those
// without a restore point first, then by its age.
func (l *Look) Standing(ctx context.Context, late time.Duration, project string, ways ...string) ([]Standing, error) {
	return l.StandingIn(ctx, late, Part{Project: project}, ways...)
}

// StandingIn returns a part of them.
func (l *Look) StandingIn(ctx context.Context, late time.Duration, p Part, ways ...string) ([]Standing, error) {
	args := l.standingArgs(late, p.Project)
	args["ways"], args["limit"] = ways, p.Limit
	return l.standings(ctx, `SELECT * FROM `+standingOf(p.Project)+` WHERE standing = ANY(@ways) ORDER BY newest_at NULLS FIRST, project_name, name, id`+limit, args)
}

func (l *Look) standingArgs(late time.Duration, project string) pgx.NamedArgs {
	return pgx.NamedArgs{"late": l.Now.Add(-late), "project": storable(project)}
}

// A StandingFilter says which volumes are wanted; each part that is empty admits all.
type StandingFilter struct {
	Only                    string // the ID of the only project, beside all else: what the asker may see
	Project, Server, Volume string // an ID or a name
	Ways                    []string
	ByAge                   bool           // those with the oldest restore point first, before them those without; else by name
	After                   *StandingPlace // only what follows it in that order
	Before                  *StandingPlace // or only what comes before it, next to it
	Limit                   int            // 0 = no limit
}

// A StandingPlace is where a volume stands in a list.
type StandingPlace struct {
	NewestAt          *time.Time
	Project, Name, ID string // names of project and volume, and the volume's ID
}

// StandingPage returns the volumes that f admits.
func (l *Look) StandingPage(ctx context.Context, late time.Duration, f StandingFilter) ([]Standing, error) {
	q := query{args: l.standingArgs(late, f.Only)}
	q.where(f.Project != "", `(project_id = @of OR project_name = @of)`, "of", storable(f.Project))
	q.where(f.Server != "", `(server_id = @server OR server_name = @server)`, "server", storable(f.Server))
	q.where(f.Volume != "", `(id = @volume OR name = @volume)`, "volume", storable(f.Volume))
	q.where(len(f.Ways) > 0, `standing = ANY(@ways)`, "ways", f.Ways)
	order, place := []string{`project_name`, `name`, `id`}, `@project_at, @name_at, @id_at`
	if f.ByAge {
		order, place = append([]string{`coalesce(newest_at, 'epoch')`}, order...), `@newest_at, `+place
	}
	from, beyond, direction := f.After, ` > `, ``
	if f.Before != nil {
		from, beyond, direction = f.Before, ` < `, ` DESC`
	}
	if from != nil {
		q.args["project_at"], q.args["name_at"], q.args["id_at"] = storable(from.Project), storable(from.Name), storable(from.ID)
		q.args["newest_at"] = from.newest()
		q.conditions = append(q.conditions, `(`+strings.Join(order, `, `)+`)`+beyond+`(`+place+`)`)
	}
	found, err := l.standings(ctx, `SELECT * FROM `+standingOf(f.Only)+q.text()+` ORDER BY `+strings.Join(order, direction+`, `)+direction+` LIMIT nullif(@limit, 0)`, q.limited(f.Limit))
	if f.Before != nil {
		slices.Reverse(found)
	}
	return found, err
}

// newest is where it stands by age: without a restore point before all others.
func (p StandingPlace) newest() time.Time {
	if p.NewestAt == nil {
		return time.Unix(0, 0)
	}
	return *p.NewestAt
}

// StandingOf returns how one volume stands.
func (l *Look) StandingOf(ctx context.Context, late time.Duration, project, volumeID string) (Standing, error) {
	args := l.standingArgs(late, project)
	args["id"] = volumeID
	found, err := l.standings(ctx, `SELECT * FROM `+standingOf(project)+` WHERE id = @id`, args)
	if err != nil {
		return Standing{}, err
	}
	if len(found) == 0 {
		return Standing{}, ErrUnknownVolume
	}
	return found[0], nil
}

func (l *Look) standings(ctx context.Context, q string, args ...any) ([]Standing, error) {
	rows, err := l.tx.Query(ctx, q, args...)
	if err != nil {
		return nil, fmt.Errorf("read how volumes stand: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Standing])
	if err != nil {
		return nil, fmt.Errorf("read how volumes stand: %w", err)
	}
	return found, nil
}
