package db

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// A VolumeProtection is one volume and its current protection.
type VolumeProtection struct {
	ID, Name               string
	ProjectID, ProjectName string
	ServerID, ServerName   string
	SizeGiB                int
	Reason                 backup.Reason // reason of the newest decision; [backup.NotSeen] if the newest plan made none
	NewestAt               *time.Time    // data timestamp of the newest restore point
	ProtectedSince         *time.Time    // in its project; nil: not protected
	Facts                  protectionFacts
}

// Protection returns the protection that results from its facts.
func (p VolumeProtection) Protection() backup.Protection { return p.Facts.decode().Protection() }

// LateSince returns since when the volume is late, given the age beyond which a volume is late; nil: it is not late.
func (p VolumeProtection) LateSince(late time.Duration) *time.Time {
	if p.Protection() != backup.Late {
		return nil
	}
	return backup.LateSince(late, p.NewestAt, p.ProtectedSince)
}

// ProtectionCounts returns the number of volumes by protection. late is the age beyond which a volume is late. If project is
// set, it counts only that project's volumes.
func (l *Snapshot) ProtectionCounts(ctx context.Context, late time.Duration, project string) (map[backup.Protection]int, error) {
	rows, err := l.tx.Query(ctx, `SELECT facts, count(*)::int AS volumes FROM `+protectionsOf(project)+` GROUP BY facts`, l.protectionArgs(late, project))
	if err != nil {
		return nil, fmt.Errorf("count volumes: %w", err)
	}
	counts := map[backup.Protection]int{}
	var facts protectionFacts
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&facts, &n}, func() error { counts[facts.decode().Protection()] += n; return nil }); err != nil {
		return nil, fmt.Errorf("count volumes: %w", err)
	}
	return counts, nil
}

// Protections returns a part of the volumes that have one of the given protections: those without a restore point first, then
// by the age of the newest one.
func (l *Snapshot) Protections(ctx context.Context, late time.Duration, p Part, which ...backup.Protection) ([]VolumeProtection, error) {
	args := l.protectionArgs(late, p.Project)
	args["facts"], args["limit"] = factsOf(which...), p.Limit
	return l.volumeProtections(ctx, `SELECT * FROM `+protectionsOf(p.Project)+` WHERE facts = ANY(@facts) ORDER BY newest_at NULLS FIRST, project_name, name, id`+limit, args)
}

func (l *Snapshot) protectionArgs(late time.Duration, project string) pgx.NamedArgs {
	return pgx.NamedArgs{"late": l.Now.Add(-late), "project": storable(project)}
}

// A ProtectionFilter selects volumes; empty fields select all.
type ProtectionFilter struct {
	Only                    string // the ID of the only project, in addition to all other fields: what the user may see
	Project, Server, Volume string // an ID or a name
	Protections             []backup.Protection
	ByAge                   bool          // volumes without a restore point first, then by the age of the newest one; otherwise by name
	After                   *VolumeCursor // only volumes after it in that order
	Before                  *VolumeCursor // or only the volumes directly before it
	Limit                   int           // 0 = no limit
}

// A VolumeCursor is a position in a list of volumes.
type VolumeCursor struct {
	NewestAt          *time.Time
	Project, Name, ID string // names of project and volume, and the volume's ID
}

// ProtectionPage returns the volumes that f selects.
func (l *Snapshot) ProtectionPage(ctx context.Context, late time.Duration, f ProtectionFilter) ([]VolumeProtection, error) {
	q := query{args: l.protectionArgs(late, f.Only)}
	q.where(f.Project != "", `(project_id = @of OR project_name = @of)`, "of", storable(f.Project))
	q.where(f.Server != "", `(server_id = @server OR server_name = @server)`, "server", storable(f.Server))
	q.where(f.Volume != "", `(id = @volume OR name = @volume)`, "volume", storable(f.Volume))
	q.where(len(f.Protections) > 0, `facts = ANY(@facts)`, "facts", factsOf(f.Protections...))
	order, position := []string{`project_name`, `name`, `id`}, `@project_at, @name_at, @id_at`
	if f.ByAge {
		order, position = append([]string{`coalesce(newest_at, 'epoch')`}, order...), `@newest_at, `+position
	}
	from, operator, direction := f.After, ` > `, ``
	if f.Before != nil {
		from, operator, direction = f.Before, ` < `, ` DESC`
	}
	if from != nil {
		q.args["project_at"], q.args["name_at"], q.args["id_at"] = storable(from.Project), storable(from.Name), storable(from.ID)
		q.args["newest_at"] = from.newest()
		q.conditions = append(q.conditions, `(`+strings.Join(order, `, `)+`)`+operator+`(`+position+`)`)
	}
	found, err := l.volumeProtections(ctx, `SELECT * FROM `+protectionsOf(f.Only)+q.text()+` ORDER BY `+strings.Join(order, direction+`, `)+direction+` LIMIT nullif(@limit, 0)`, q.limited(f.Limit))
	if f.Before != nil {
		slices.Reverse(found)
	}
	return found, err
}

// newest returns the position by age: volumes without a restore point come first.
func (p VolumeCursor) newest() time.Time {
	if p.NewestAt == nil {
		return time.Unix(0, 0)
	}
	return *p.NewestAt
}

// ProtectionOf returns one volume and its protection.
func (l *Snapshot) ProtectionOf(ctx context.Context, late time.Duration, project, volumeID string) (VolumeProtection, error) {
	args := l.protectionArgs(late, project)
	args["id"] = volumeID
	found, err := l.volumeProtections(ctx, `SELECT * FROM `+protectionsOf(project)+` WHERE id = @id`, args)
	if err != nil {
		return VolumeProtection{}, err
	}
	if len(found) == 0 {
		return VolumeProtection{}, ErrUnknownVolume
	}
	return found[0], nil
}

func (l *Snapshot) volumeProtections(ctx context.Context, q string, args ...any) ([]VolumeProtection, error) {
	rows, err := l.tx.Query(ctx, q, args...)
	if err != nil {
		return nil, fmt.Errorf("read protection of volumes: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[VolumeProtection])
	if err != nil {
		return nil, fmt.Errorf("read protection of volumes: %w", err)
	}
	return found, nil
}
