// Package rig is the shared part of several folders of end-to-end tests: the program with a cloudsim, in one process
// (Environment) or as real processes (Deployment), and helpers to inspect it.
package rig

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/kelseyhightower/envconfig"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/cloudsim"
	"staffeln/internal/invariants"
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
	"staffeln/openstack"
	"staffeln/scheduler"
	"staffeln/tasks"
	"staffeln/worker"
)

// Environment is the whole program with a cloudsim in one process, on real Postgres and Redis. The cloud and the database
// share one stepped clock.
type Environment struct {
	T                  *testing.T
	Ctx                context.Context //nolint:containedctx // context of the test; it lasts as long as the environment
	Clock              *testkit.Clock
	Sim                *cloudsim.Cloud
	URL                string // of the database
	RedisURL, CloudURL string
	Pool               *pgxpool.Pool
	DB                 *db.DB
	Redis              redis.UniversalClient
	Cloud              *openstack.Cloud
	Settings           backup.Settings
	Term               int64
	Scheduler          *scheduler.Scheduler
	Worker             *worker.Worker
	Logs               *Log
	StopWorker         func()        // the first worker
	LongestStep        time.Duration // of the clock
	promises           []invariants.Promise
	inForce            map[string]int // index of the current promise, by volume
}

// Noon is the start time of an environment's clock.
var Noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Defaults returns the settings of an installation that changes none.
func Defaults(t *testing.T) backup.Settings {
	t.Helper()
	var set backup.Settings
	require.NoError(t, envconfig.Process("STAFFELN_TEST_DEFAULTS", &set))
	return set
}

// NewEnvironment starts at noon, as the leader, without a plan.
func NewEnvironment(t *testing.T, change func(*backup.Settings, *cloudsim.Options)) *Environment {
	t.Helper()
	set := Defaults(t)
	set.ProtectionGrace = 0 // unprotected restore points expire by their retention alone, except in tests of the grace
	w := &Environment{T: t, Clock: testkit.NewClock(Noon), Logs: &Log{}}
	w.Ctx = zerolog.New(w.Logs).Level(zerolog.InfoLevel).WithContext(t.Context())
	t.Cleanup(w.showLog)
	opts := cloudsim.Options{Now: w.Clock.Now, Seed: 1, TokenLife: 1000 * time.Hour}
	if change != nil {
		change(&set, &opts)
	}
	w.Settings = set
	w.Sim = cloudsim.New(opts)
	server := httptest.NewServer(w.Sim)
	t.Cleanup(server.Close)
	w.CloudURL = server.URL
	env := w.Sim.OpenRC(server.URL)
	credentials, err := openstack.FromEnv(func(name string) string { return env[name] })
	require.NoError(t, err)
	w.Cloud, err = openstack.Connect(w.Ctx, credentials, openstack.Config{RetryTimeout: backup.Duration(time.Second), MaxRetryInterval: backup.Duration(time.Second), SecretRoles: []string{"admin", "creator"}})
	require.NoError(t, err)
	w.OpenDatabase()
	w.RedisURL = testkit.RedisURL(t)
	w.Redis, err = tasks.Connect(w.RedisURL)
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.Redis.Close() })
	w.Assemble()
	w.StopWorker = w.StartWorker()
	return w
}

// OpenDatabase creates a database that uses the clock of the environment.
func (w *Environment) OpenDatabase() {
	w.URL = testkit.DatabaseURL(w.T, func(ctx context.Context, url string) error { _, err := db.MigrateUp(ctx, url); return err })
	var err error
	w.Pool, err = pgxpool.New(w.Ctx, w.URL)
	require.NoError(w.T, err)
	w.T.Cleanup(w.Pool.Close)
	// Planning takes longer than running a statement on a few rows, and each new connection would plan each of them five times.
	w.Exec(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET plan_cache_mode = force_generic_plan', current_database()); END $$`)
	w.Exec(`CREATE TABLE test_clock (at timestamptz NOT NULL)`)
	w.Exec(`INSERT INTO test_clock VALUES ($1)`, w.Clock.Now())
	w.Exec(`CREATE OR REPLACE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT at FROM test_clock'`)
	w.DB, err = db.Open(w.Ctx, w.URL, telemetry.NewMetrics())
	require.NoError(w.T, err)
	w.T.Cleanup(w.DB.Close)
}

// Assemble creates scheduler and worker with the current settings, and begins a new term.
func (w *Environment) Assemble() {
	installation, err := w.DB.Installation(w.Ctx)
	require.NoError(w.T, err)
	me := backup.Identity{Installation: installation, UserID: w.Cloud.UserID()}
	m := telemetry.NewMetrics()
	w.Scheduler = &scheduler.Scheduler{DB: w.DB, Cloud: w.Cloud, Queue: tasks.NewClient(w.Redis, zerolog.Nop(), m), Settings: w.Settings, Metrics: m, Identity: me}
	w.Worker = &worker.Worker{DB: w.DB, Cloud: w.Cloud, Settings: w.Settings, Metrics: m, Identity: me}
	w.Lead()
}

// StartWorker runs a worker that polls the queue often and retries at once: a task that is not due yet by the stepped clock
// ends when it reads its row. The returned function stops the worker; so does the end of the test.
func (w *Environment) StartWorker() (stop func()) {
	ctx, cancel := context.WithCancel(w.Ctx)
	done := make(chan error, 1)
	go func() {
		done <- tasks.Serve(ctx, w.Redis, tasks.ServerConfig{
			Concurrency: 8, PollPeriod: 10 * time.Millisecond, CheckInterval: 10 * time.Millisecond,
			Log: *zerolog.Ctx(w.Ctx), Metrics: telemetry.NewMetrics(),
		}, w.Worker.Handlers())
	}()
	stop = sync.OnceFunc(func() { cancel(); require.NoError(w.T, <-done) })
	w.T.Cleanup(stop)
	return stop
}

// Exec runs a statement in the database.
func (w *Environment) Exec(q string, args ...any) {
	w.T.Helper()
	_, err := w.Pool.Exec(w.Ctx, q, args...)
	require.NoError(w.T, err)
}

// Step advances the shared clock.
func (w *Environment) Step(d time.Duration) {
	w.LongestStep = max(w.LongestStep, d)
	w.Exec(`UPDATE test_clock SET at = $1`, w.Clock.Step(d))
}

// Protect creates a server that asks for backups, with volumes of 1 GiB.
func (w *Environment) Protect(project, server string, volumes int, metadata ...string) (serverID string, volumeIDs []string) {
	meta := map[string]string{w.Settings.BackupMetadataKey: "true"}
	for i := 0; i+1 < len(metadata); i += 2 {
		meta[metadata[i]] = metadata[i+1]
	}
	serverID = w.Sim.AddServer(project, server, meta)
	for range volumes {
		id := w.Sim.AddVolume(project, "data", 1)
		w.Sim.Attach(serverID, id)
		volumeIDs = append(volumeIDs, id)
	}
	return serverID, volumeIDs
}

// Kinds returns the kinds of a volume's backups in Cinder, oldest first, for example FIIF.
func (w *Environment) Kinds(volumeID string) string {
	var b strings.Builder
	for _, one := range w.Sim.BackupsOf(volumeID) {
		if one.Parent != "" {
			b.WriteByte('I')
		} else {
			b.WriteByte('F')
		}
	}
	return b.String()
}

// Count returns the number of records that match a condition.
func (w *Environment) Count(where string, args ...any) (n int) {
	w.T.Helper()
	require.NoError(w.T, w.Pool.QueryRow(w.Ctx, `SELECT count(*) FROM records WHERE `+where, args...).Scan(&n))
	return n
}
