package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// InProgress returns the unfinished records except those that wait for admission: admitted, requested, overdue, being removed,
// or undeletable; oldest first.
func (l *Snapshot) InProgress(ctx context.Context) ([]backup.Record, error) {
	return l.InProgressIn(ctx, Part{})
}

// A Backlog is the number of a project's records that are planned and not admitted yet.
type Backlog struct {
	ProjectID, ProjectName string
	Records                int
	Since                  time.Time     // when the oldest of them was planned
	Held                   []backup.Held // why they were not admitted
	OldestPointAt          *time.Time    // the oldest of the volumes' newest restore points; nil if a volume has none
}

// Backlog returns the backlog by project, the longest first.
func (l *Snapshot) Backlog(ctx context.Context) ([]Backlog, error) { return l.BacklogIn(ctx, Part{}) }

// Failures returns the newest record of each protected volume whose newest attempt failed or whose newest backup was lost;
// newest first. If volumes are given, it returns only theirs.
func (l *Snapshot) Failures(ctx context.Context, volumeIDs ...string) ([]backup.Record, error) {
	if len(volumeIDs) == 0 {
		return l.FailuresIn(ctx, Part{})
	}
	return l.failures(ctx, `v.id = ANY(@volumes) AND `, pgx.NamedArgs{"volumes": volumeIDs, "limit": 0})
}

// Held returns, by volume, the records that Cinder may hold a backup of, and those in progress.
func (l *Snapshot) Held(ctx context.Context, volumeIDs []string) (map[string][]backup.Record, error) {
	q := `SELECT ` + recordColumns + ` FROM records WHERE volume_id = ANY($1) AND ` + mayBeInCinder
	records, err := l.records(ctx, "held", q, volumeIDs)
	if err != nil {
		return nil, err
	}
	held := map[string][]backup.Record{}
	for _, r := range records {
		held[r.VolumeID] = append(held[r.VolumeID], r)
	}
	return held, nil
}

// Volumes returns the stored state of the given volumes.
func (l *Snapshot) Volumes(ctx context.Context, ids []string) ([]Volume, error) {
	return l.volumes(ctx, `SELECT `+withEnds+` FROM volumes WHERE id = ANY($1) ORDER BY id`, ids)
}

// Ageing returns the volumes with restore points that may expire by the given time: one of them is past its retention by then,
// a shorter retention waits, or a removal is due anyway. Which ones expire is not decided here.
func (l *Snapshot) Ageing(ctx context.Context, until time.Time) ([]Volume, error) {
	q := `
		SELECT ` + withEnds + ` FROM volumes v
		WHERE removal_due_at IS NOT NULL OR shorter_retention IS NOT NULL
			OR id IN (SELECT volume_id FROM records WHERE ` + needsRemoval + `)
			OR ` + oldestEnd + ` <= $1
		ORDER BY id`
	return l.volumes(ctx, q, until)
}

func (l *Snapshot) volumes(ctx context.Context, q string, args ...any) ([]Volume, error) {
	rows, err := l.tx.Query(ctx, q, args...)
	if err != nil {
		return nil, fmt.Errorf("read volumes: %w", err)
	}
	volumes, err := pgx.CollectRows(rows, toVolume)
	if err != nil {
		return nil, fmt.Errorf("read volumes: %w", err)
	}
	return volumes, nil
}
