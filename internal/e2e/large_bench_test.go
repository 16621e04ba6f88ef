package e2e

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/kelseyhightower/envconfig"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/cloudsim"
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
	"staffeln/openstack"
	"staffeln/scheduler"
	"staffeln/tasks"
)

// largeCloud is a scheduler with a cloudsim of many volumes, on real Postgres and Redis and on the real clock.
type largeCloud struct {
	b       *testing.B
	sim     *cloudsim.Cloud
	url     string
	pool    *pgxpool.Pool
	sched   *scheduler.Scheduler
	volumes []string
}

// newLargeCloud creates one in which every server asks for backups of its four volumes.
func newLargeCloud(b *testing.B, volumes int, change func(*backup.Settings)) *largeCloud {
	b.Helper()
	w := &largeCloud{b: b, sim: cloudsim.New(cloudsim.Options{Seed: 1, TokenLife: 1000 * time.Hour, Backups: -1, BackupGigabytes: -1})}
	var set backup.Settings
	require.NoError(b, envconfig.Process("STAFFELN_TEST_DEFAULTS", &set))
	change(&set)
	const each = 4
	w.volumes = cloudsim.Seed(w.sim, cloudsim.SeedOptions{
		Projects: 200, Servers: volumes / each, VolumesPerServer: each, MetadataKey: set.BackupMetadataKey,
	}).Volumes
	server := httptest.NewServer(w.sim)
	b.Cleanup(server.Close)
	env := w.sim.OpenRC(server.URL)
	credentials, err := openstack.FromEnv(func(name string) string { return env[name] })
	require.NoError(b, err)
	cloud, err := openstack.Connect(b.Context(), credentials, openstack.Config{SecretRoles: []string{"admin"}})
	require.NoError(b, err)
	w.url = testkit.DatabaseURL(b, func(ctx context.Context, url string) error { _, err := db.MigrateUp(ctx, url); return err })
	w.pool, err = pgxpool.New(b.Context(), w.url)
	require.NoError(b, err)
	b.Cleanup(w.pool.Close)
	metrics := telemetry.NewMetrics()
	database, err := db.Open(b.Context(), w.url, metrics)
	require.NoError(b, err)
	b.Cleanup(database.Close)
	installation, err := database.Installation(b.Context())
	require.NoError(b, err)
	rdb, err := tasks.Connect(testkit.RedisURL(b))
	require.NoError(b, err)
	b.Cleanup(func() { _ = rdb.Close() })
	w.sched = &scheduler.Scheduler{
		DB: database, Cloud: cloud, Queue: tasks.NewClient(rdb, zerolog.Nop(), metrics), Settings: set, Metrics: metrics,
		Identity: backup.Identity{Installation: installation, UserID: cloud.UserID()},
	}
	return w
}

func (w *largeCloud) exec(q string, args ...any) {
	w.b.Helper()
	_, err := w.pool.Exec(w.b.Context(), q, args...)
	require.NoError(w.b, err)
}

// plan runs one plan, in its own term.
func (w *largeCloud) plan() {
	w.b.Helper()
	var term int64
	require.NoError(w.b, w.pool.QueryRow(w.b.Context(), `UPDATE leadership SET term = term + 1 RETURNING term`).Scan(&term))
	run, err := w.sched.DB.BeginRun(w.b.Context(), term)
	require.NoError(w.b, err)
	require.NoError(w.b, w.sched.Plan(w.b.Context(), run))
}

// residentMemory returns the process's RAM now, and its peak since the last call, in MiB.
func residentMemory(b *testing.B) (now, peak float64) {
	b.Helper()
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(b, err)
	kib := func(key string) (n float64) {
		_, rest, _ := strings.Cut(string(status), key)
		_, err := fmt.Sscan(rest, &n)
		require.NoError(b, err, key)
		return n
	}
	require.NoError(b, os.WriteFile("/proc/self/clear_refs", []byte("5"), 0))
	return kib("VmRSS:") / 1024, kib("VmHWM:") / 1024
}
