package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// InProgress returns the records that something is being done for: admitted, asked
// for, overdue, being removed, or that can't be removed; the oldest first.
func (l *Snapshot) InProgress(ctx context.Context) ([]backup.Record, error) {
	return l.InProgressIn(ctx, Part{})
}

// A Backlog is what one project waits for: planned, and not admitted yet.
type Backlog struct {
	ProjectID, ProjectName string
	Records                int
	Since                  time.Time  // when the oldest of them was planned
	OldestPointAt          *time.Time // of the volumes' newest restore points the oldest; nil where one has none
}

// Backlog returns it by project, the longest first.
func (l *Snapshot) Backlog(ctx context.Context) ([]Backlog, error) { return l.BacklogIn(ctx, Part{}) }

// Failures returns, for each protected volume whose newest attempt failed or
// whose newest backup was taken away, that record; the newest first. Where
// volumes are named, only of those.
func (l *Snapshot) Failures(ctx context.Context, volumeIDs ...string) ([]backup.Record, error) {
	if len(volumeIDs) == 0 {
		return l.FailuresIn(ctx, Part{})
	}
	return l.failures(ctx, `v.id = ANY(@volumes) AND `, pgx.NamedArgs{"volumes": volumeIDs, "limit": 0})
}

// Held returns, by volume, the records that Cinder may hold something of, and
// those in progress.
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

// Volumes returns what the plans remember of the given volumes.
func (l *Snapshot) Volumes(ctx context.Context, ids []string) ([]Volume, error) {
	return l.volumes(ctx, `SELECT `+withEnds+` FROM volumes WHERE id = ANY($1) ORDER BY id`, ids)
}

// Ageing returns the volumes of which something may go until the given time:
// one of their restore points is past its retention by then, or a shorter one
// waits, or something of theirs is to be removed anyway. What goes is not
// decided here.
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
