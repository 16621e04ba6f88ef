package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// A Snapshot reads for people: all data as of one moment, in one read-only transaction, without any lock that could delay
// other processes.
type Snapshot struct {
	tx  pgx.Tx
	Now time.Time // the database's clock
}

// Snapshot calls the function with a new snapshot.
func (d *DB) Snapshot(ctx context.Context, read func(*Snapshot) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return pgx.BeginTxFunc(ctx, d.pool, options, func(tx pgx.Tx) error {
		l := &Snapshot{tx: tx}
		if err := tx.QueryRow(ctx, "SELECT staffeln_now()").Scan(&l.Now); err != nil {
			return fmt.Errorf("read the database's clock: %w", err)
		}
		l.Now = l.Now.UTC()
		return read(l)
	})
}

// A Leader has the content of the leader's row, and whether any scheduler leads now.
type Leader struct {
	Term   int64
	Leader string
	Since  *time.Time
	LastRuns
	Leads bool // a session holds the leader's lock
	// Queue is the leader's finding about the queue: [backup.NoWorker] or [backup.QueueUnreachable]; empty: none.
	Queue backup.Reason
}

// Leader returns the current or the last leader, and its newest runs.
func (l *Snapshot) Leader(ctx context.Context) (Leader, error) {
	// pg_locks shows an advisory lock's number as two halves.
	const q = `
		SELECT term, leader, since, planned_at, dispatched_at, retention_at, reconciled_at, reported_at, EXISTS (
			SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
				AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
				AND (classid::bigint << 32) | objid::bigint = $1) AS leads,
			coalesce((SELECT min(reason) FROM findings WHERE reason IN ('no_worker', 'queue_unreachable')), '') AS queue
		FROM leadership`
	rows, err := l.tx.Query(ctx, q, int64(leaderLock))
	if err != nil {
		return Leader{}, fmt.Errorf("read leader: %w", err)
	}
	leader, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Leader])
	if err != nil {
		return Leader{}, fmt.Errorf("read leader: %w", err)
	}
	return leader, nil
}

// Findings returns all findings, newest first.
func (l *Snapshot) Findings(ctx context.Context) ([]KeptFinding, error) {
	return l.FindingsIn(ctx, Part{})
}

// ErrUnknownVolume means that no plan ever saw a volume of that ID or name.
var ErrUnknownVolume = errors.New("no volume of that ID or name is known")

// An AmbiguousError means that several objects have the same name.
type AmbiguousError struct {
	What string // volumes, servers or projects
	IDs  []string
}

// Error lists the first five IDs.
func (e AmbiguousError) Error() string {
	shown := e.IDs[:min(len(e.IDs), 5)]
	return fmt.Sprintf("%d %s have that name: %v", len(e.IDs), e.What, shown)
}

// Volume returns the volume with the given ID, or else the one with that name. If several have the name and only one of them
// is not gone, it returns that one. Otherwise it returns [ErrUnknownVolume] or an [AmbiguousError].
func (l *Snapshot) Volume(ctx context.Context, idOrName string) (Volume, error) {
	const q = `SELECT ` + withEnds + ` FROM volumes WHERE id = $1 OR name = $1 ORDER BY id <> $1, gone_at IS NOT NULL, id`
	found, err := l.volumes(ctx, q, storable(idOrName))
	if err != nil {
		return Volume{}, err
	}
	switch {
	case len(found) == 0:
		return Volume{}, ErrUnknownVolume
	case len(found) == 1 || found[0].ID == idOrName || found[0].GoneAt == nil && found[1].GoneAt != nil:
		return found[0], nil
	}
	several := AmbiguousError{What: "volumes"}
	for _, v := range found {
		several.IDs = append(several.IDs, v.ID)
	}
	return Volume{}, several
}

// Decisive returns the records that decisions about the volumes need, grouped by volume, newest first.
func (l *Snapshot) Decisive(ctx context.Context, volumeIDs ...string) ([]backup.Record, error) {
	q := `SELECT ` + recordColumns + ` FROM ` + decisive + ` WHERE v.id = ANY($1) ORDER BY v.id, records.planned_at DESC`
	return l.records(ctx, "decisive", q, volumeIDs)
}

func (l *Snapshot) records(ctx context.Context, what, q string, args ...any) ([]backup.Record, error) {
	records, err := collectRecords(l.tx.Query(ctx, q, args...))
	if err != nil {
		return nil, fmt.Errorf("read %s records: %w", what, err)
	}
	return records, nil
}

// Storable returns a user's text as the database can store it.
func Storable(text string) string { return storable(text) }
