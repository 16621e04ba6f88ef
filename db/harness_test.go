package db

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
)

// base is the start of each test's stepped clock.
var base = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

const hour = time.Hour

// harness is one test's database, clock and metrics.
type harness struct {
	t       testing.TB
	ctx     context.Context //nolint:containedctx // the test's context, which lives as long as the harness
	url     string
	db      *DB
	metrics *telemetry.Metrics
	clock   *testkit.DBClock
}

func migrate(ctx context.Context, url string) error {
	_, err := MigrateUp(ctx, url)
	return err
}

// newUnsteppedHarness opens a database with a running clock.
func newUnsteppedHarness(t testing.TB) *harness {
	t.Helper()
	h := &harness{t: t, ctx: t.Context(), url: testkit.DatabaseURL(t, migrate), metrics: telemetry.NewMetrics()}
	var err error
	h.db, err = Open(h.ctx, h.url, h.metrics)
	require.NoError(t, err)
	t.Cleanup(h.db.Close)
	return h
}

func newHarness(t testing.TB) *harness {
	t.Helper()
	h := newUnsteppedHarness(t)
	h.clock = testkit.StepClock(t, h.url)
	h.clock.Set(base)
	return h
}

// row has the columns that a test sets; the others get defaults.
type row map[string]any

func (r row) with(more row) row {
	all := row{}
	maps.Copy(all, r)
	maps.Copy(all, more)
	return all
}

func (h *harness) exec(q string, args ...any) {
	h.t.Helper()
	_, err := h.db.pool.Exec(h.ctx, q, args...)
	require.NoError(h.t, err)
}

func (h *harness) insert(table string, r row) error {
	var columns, placeholders []string
	var args []any
	for name, value := range r {
		columns, args = append(columns, name), append(args, value)
		placeholders = append(placeholders, fmt.Sprintf("$%d", len(args)))
	}
	q := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(placeholders, ", ") + ")"
	_, err := h.db.pool.Exec(h.ctx, q, args...)
	return err
}

var plainVolume = row{
	"name": "disk", "project_id": "p", "project_name": "one", "server_id": "s", "server_name": "web", "availability_zone": "az", "status": "in-use",
	"size_gib": 10, "encrypted": false, "protected": true, "retention": "14 days", "retention_source": "default", "seen_at": base,
}

func (h *harness) volume(id string, more row) {
	h.t.Helper()
	require.NoError(h.t, h.insert("volumes", plainVolume.with(row{"id": id}).with(more)))
}

var plainRecord = row{
	"project_id": "p", "project_name": "one", "server_id": "s", "server_name": "web", "volume_id": "v", "volume_name": "disk", "availability_zone": "az",
	"size_gib": 10, "encrypted": false, "kind": "full", "retention": "14 days", "planned_at": base.Add(-hour), "changed_at": base.Add(-hour),
}

// record writes a record and returns it as the package reads it.
func (h *harness) record(id string, more row) backup.Record {
	h.t.Helper()
	require.NoError(h.t, h.insert("records", plainRecord.with(row{"id": id}).with(more)))
	return h.read(id)
}

func (h *harness) read(id string) backup.Record {
	h.t.Helper()
	r, ok, err := (&Run{db: h.db}).ByID(h.ctx, id)
	require.NoError(h.t, err)
	require.True(h.t, ok, "record %s", id)
	return r
}

// point is an available record whose data has the given age.
func point(backupID string, age time.Duration) row {
	at := base.Add(-age)
	return row{
		"state": "available", "backup_id": backupID, "data_timestamp": at, "planned_at": at,
		"available_at": at, "ended_at": at, "changed_at": at, "requested_at": at, "deadline": at.Add(6 * hour),
	}
}

func (h *harness) lease(volumeID string) *Lease {
	h.t.Helper()
	c, err := h.db.Lease(h.ctx, volumeID, "test", 10*time.Minute)
	require.NoError(h.t, err)
	return c
}

// run begins a run in the current term.
func (h *harness) run() *Run {
	h.t.Helper()
	var term int64
	require.NoError(h.t, h.db.pool.QueryRow(h.ctx, "SELECT term FROM leadership").Scan(&term))
	b, err := h.db.BeginRun(h.ctx, term)
	require.NoError(h.t, err)
	return b
}

func (h *harness) count(q string, args ...any) (n int) {
	h.t.Helper()
	require.NoError(h.t, h.db.pool.QueryRow(h.ctx, q, args...).Scan(&n))
	return n
}

func (h *harness) text(q string, args ...any) (s string) {
	h.t.Helper()
	require.NoError(h.t, h.db.pool.QueryRow(h.ctx, q, args...).Scan(&s))
	return s
}

// ids returns the IDs of records, sorted.
func ids(records []backup.Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, r.ID)
	}
	slices.Sort(all)
	return all
}

// waitForLocks waits until n sessions of the database wait for a lock.
func (h *harness) waitForLocks(n int) {
	h.t.Helper()
	h.waitForLocksOr(n, func() bool { return false })
}

// waitForLocksOr waits until n sessions of the database wait for a lock, or until done returns true.
func (h *harness) waitForLocksOr(n int, done func() bool) {
	h.t.Helper()
	testkit.Eventually(h.t, fmt.Sprintf("%d sessions wait for a lock", n), time.Minute, func() bool {
		return done() || h.count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == n
	})
}
