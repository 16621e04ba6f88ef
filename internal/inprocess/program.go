package inprocess

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/testkit"
	"staffeln/tasks"
)

// Options is added to the URL of every database connection of the program: statements are planned once, and JIT compilation is
// off.
const Options = "&plan_cache_mode=force_generic_plan&jit=off"

// Database returns the URL of a migrated database, and a connection to it for the test.
func Database(t testing.TB) (url string, conn *pgx.Conn) {
	t.Helper()
	url = testkit.DatabaseURL(t, func(ctx context.Context, url string) error { _, err := db.MigrateUp(ctx, url); return err })
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return url, conn
}

// Lead starts a term of a scheduler, without the advisory lock of a session.
func Lead(ctx context.Context, conn *pgx.Conn, name string) (term int64, err error) {
	const q = `UPDATE leadership SET term = term + 1, leader = $1, since = staffeln_now() RETURNING term`
	err = conn.QueryRow(ctx, q, name).Scan(&term)
	return term, err
}

// InProgress reports whether any record is in progress, or any volume waits for a removal. An undeletable record is tried only
// daily, so nobody waits for it.
func InProgress(ctx context.Context, conn *pgx.Conn) (is bool, err error) {
	const q = `SELECT EXISTS (SELECT FROM records WHERE state = ANY($1) OR state = $2 AND backup_id IS NOT NULL)
		OR EXISTS (SELECT FROM volumes WHERE removal_due_at IS NOT NULL)`
	var states []backup.State
	for _, s := range backup.States {
		if s.Unfinished() && s != backup.Undeletable {
			states = append(states, s)
		}
	}
	err = conn.QueryRow(ctx, q, states, backup.Failed).Scan(&is)
	return is, err
}

// Handler returns the handler for a kind of task.
func Handler(h tasks.Handlers, kind tasks.Kind) func(context.Context, tasks.VolumeTask) error {
	return map[tasks.Kind]func(context.Context, tasks.VolumeTask) error{
		tasks.VolumeBackup: h.Backup, tasks.VolumePoll: h.Poll, tasks.VolumeRetention: h.Retention,
	}[kind]
}
