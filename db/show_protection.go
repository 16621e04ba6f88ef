package db

import (
	"context"
	"fmt"
	"slices"
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
	Usual                  time.Duration // how long a backup of it usually takes; 0: not known
	Facts                  protectionFacts
}

// Protection returns the protection that results from its facts.
func (p VolumeProtection) Protection() backup.Protection { return p.Facts.decode().Protection() }

// LateSince returns since when the volume is late; nil: it is not late.
func (p VolumeProtection) LateSince(rpo backup.RPO) *time.Time {
	if p.Protection() != backup.Late {
		return nil
	}
	return backup.LateSince(rpo.Of(p.Usual), p.NewestAt, p.ProtectedSince)
}

// ProtectionCounts returns the number of volumes by protection. If project is set, it
// counts only that project's volumes.
func (l *Snapshot) ProtectionCounts(ctx context.Context, rpo backup.RPO, project string) (map[backup.Protection]int, error) {
	return protectionCounts(ctx, l.tx, l.Now, rpo, project)
}

// ProtectionCounts is [Snapshot.ProtectionCounts] of all projects.
func (b *Run) ProtectionCounts(ctx context.Context, rpo backup.RPO) (map[backup.Protection]int, error) {
	return protectionCounts(ctx, b.db.pool, b.Now, rpo, "")
}

func protectionCounts(ctx context.Context, from queries, now time.Time, rpo backup.RPO, project string) (map[backup.Protection]int, error) {
	rows, err := from.Query(ctx, `SELECT facts, count(*)::int AS volumes FROM `+protectionsOf(project)+` GROUP BY facts`, rpoArgs(now, rpo, project))
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
func (l *Snapshot) Protections(ctx context.Context, rpo backup.RPO, p Part, which ...backup.Protection) ([]VolumeProtection, error) {
	args := rpoArgs(l.Now, rpo, p.Project)
	args["facts"], args["limit"] = factsOf(which...), p.Limit
	return l.volumeProtections(ctx, `SELECT * FROM `+protectionsOf(p.Project)+` WHERE facts = ANY(@facts) ORDER BY newest_at NULLS FIRST, project_name, name, id`+limit, args)
}

// A ProtectionFilter selects volumes; empty fields select all.
type ProtectionFilter struct {
	Only                    string // the ID of the only project, in addition to all other fields: what the user may see
	Project, Server, Volume string // an ID or a name
	Protections             []backup.Protection
	Search                  string // a part of a name or an ID
	Sort                    VolumeSort
	Descending              bool
	After                   *VolumeCursor // only volumes after it in that order
	Before                  *VolumeCursor // or only the volumes directly before it
	Limit                   int           // 0 = no limit
}

// ProtectionPage returns the volumes that f selects.
func (l *Snapshot) ProtectionPage(ctx context.Context, rpo backup.RPO, f ProtectionFilter) ([]VolumeProtection, error) {
	q := query{args: rpoArgs(l.Now, rpo, f.Only)}
	q.where(f.Project != "", `(project_id = @of OR project_name = @of)`, "of", storable(f.Project))
	q.where(f.Server != "", `(server_id = @server OR server_name = @server)`, "server", storable(f.Server))
	q.where(f.Volume != "", `(id = @volume OR name = @volume)`, "volume", storable(f.Volume))
	q.where(len(f.Protections) > 0, `facts = ANY(@facts)`, "facts", factsOf(f.Protections...))
	q.where(f.Search != "", volumeFound, "search", like(f.Search))
	orderBy, reversed := f.order(&q)
	found, err := l.volumeProtections(ctx, `SELECT * FROM `+protectionsOf(f.Only)+q.text()+orderBy+` LIMIT nullif(@limit, 0)`, q.limited(f.Limit))
	if reversed {
		slices.Reverse(found)
	}
	return found, err
}

// volumeFound holds for volumes in whose names or IDs a text occurs.
const volumeFound = `(name ILIKE @search OR server_name ILIKE @search OR project_name ILIKE @search OR id ILIKE @search OR server_id ILIKE @search)`

// ProtectionOf returns one volume and its protection.
func (l *Snapshot) ProtectionOf(ctx context.Context, rpo backup.RPO, project, volumeID string) (VolumeProtection, error) {
	args := rpoArgs(l.Now, rpo, project)
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
