package e2e

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
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

// world is the whole program around a cloudsim, on real Postgres and Redis,
// with one stepped clock for the cloud and the database.
type world struct {
	t                  *testing.T
	ctx                context.Context //nolint:containedctx // the test's own, which lasts as long as the world
	clock              *testkit.Clock
	sim                *cloudsim.Cloud
	url                string // of the database
	redisURL, cloudURL string
	pool               *pgxpool.Pool
	db                 *db.DB
	rdb                redis.UniversalClient
	cloud              *openstack.Cloud
	set                backup.Settings
	term               int64
	sched              *scheduler.Scheduler
	work               *worker.Worker
	logs               *logBook
	stop               func()        // the first worker
	stride             time.Duration // the longest step of the clocks
	promises           []invariants.Promise
	inForce            map[string]int // of those, by volume
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func defaults(t *testing.T) backup.Settings {
	t.Helper()
	var set backup.Settings
	require.NoError(t, envconfig.Process("STAFFELN_TEST_DEFAULTS", &set))
	return set
}

// newWorld begins at noon of a day, leading, with nothing planned yet.
func newWorld(t *testing.T, change func(*backup.Settings, *cloudsim.Options)) *world {
	t.Helper()
	set := defaults(t)
	set.ProtectionGrace = 0 // what is unprotected goes by its retention alone, but where a test is about the grace
	w := &world{t: t, clock: testkit.NewClock(noon), logs: &logBook{}}
	w.ctx = zerolog.New(w.logs).Level(zerolog.InfoLevel).WithContext(t.Context())
	t.Cleanup(w.tellLog)
	opts := cloudsim.Options{Now: w.clock.Now, Seed: 1, TokenLife: 1000 * time.Hour}
	if change != nil {
		change(&set, &opts)
	}
	w.set = set
	w.sim = cloudsim.New(opts)
	server := httptest.NewServer(w.sim)
	t.Cleanup(server.Close)
	w.cloudURL = server.URL
	env := w.sim.OpenRC(server.URL)
	credentials, err := openstack.FromEnv(func(name string) string { return env[name] })
	require.NoError(t, err)
	w.cloud, err = openstack.Connect(w.ctx, credentials, openstack.Config{RetryTimeout: backup.Duration(time.Second), MaxRetryInterval: backup.Duration(time.Second), SecretRoles: []string{"admin", "creator"}})
	require.NoError(t, err)
	w.openDatabase()
	w.redisURL = testkit.RedisURL(t)
	w.rdb, err = tasks.Connect(w.redisURL)
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.rdb.Close() })
	w.assemble()
	w.stop = w.serve()
	return w
}

func (w *world) openDatabase() {
	w.url = testkit.DatabaseURL(w.t, func(ctx context.Context, url string) error { _, err := db.MigrateUp(ctx, url); return err })
	var err error
	w.pool, err = pgxpool.New(w.ctx, w.url)
	require.NoError(w.t, err)
	w.t.Cleanup(w.pool.Close)
	w.exec(`CREATE TABLE test_clock (at timestamptz NOT NULL)`)
	w.exec(`INSERT INTO test_clock VALUES ($1)`, w.clock.Now())
	w.exec(`CREATE OR REPLACE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT at FROM test_clock'`)
	w.db, err = db.Open(w.ctx, w.url, telemetry.NewMetrics())
	require.NoError(w.t, err)
	w.t.Cleanup(w.db.Close)
}

func (w *world) assemble() {
	installation, err := w.db.Installation(w.ctx)
	require.NoError(w.t, err)
	me := backup.Identity{Installation: installation, UserID: w.cloud.UserID()}
	m := telemetry.NewMetrics()
	w.sched = &scheduler.Scheduler{DB: w.db, Cloud: w.cloud, Queue: tasks.NewClient(w.rdb, zerolog.Nop(), m), Settings: w.set, Metrics: m, Identity: me}
	w.work = &worker.Worker{DB: w.db, Cloud: w.cloud, Settings: w.set, Metrics: m, Identity: me}
	w.reign()
}

// serve runs a worker on the queue that looks often and retries at once: what
// is not due yet by the stepped clock ends at its row. The function it returns
// stops the worker; the end of the test does, too.
func (w *world) serve() (stop func()) {
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	go func() {
		done <- tasks.Serve(ctx, w.rdb, tasks.ServerConfig{
			Concurrency: 8, PollPeriod: 10 * time.Millisecond, CheckInterval: time.Millisecond,
			Log: *zerolog.Ctx(w.ctx), Metrics: telemetry.NewMetrics(),
		}, w.work.Handlers())
	}()
	stop = sync.OnceFunc(func() { cancel(); require.NoError(w.t, <-done) })
	w.t.Cleanup(stop)
	return stop
}

// reign begins a new term, as another leader would.
func (w *world) reign() {
	w.t.Helper()
	testkit.Eventually(w.t, "the lead is free", time.Minute, func() bool {
		lead, err := db.Lead(w.ctx, w.url, "test")
		if errors.Is(err, db.ErrLed) {
			return false // Postgres has not noticed yet that the last session ended
		}
		require.NoError(w.t, err)
		w.term = lead.Term
		lead.Resign()
		return true
	})
}

func (w *world) exec(q string, args ...any) {
	w.t.Helper()
	_, err := w.pool.Exec(w.ctx, q, args...)
	require.NoError(w.t, err)
}

// step moves both clocks.
func (w *world) step(d time.Duration) {
	w.stride = max(w.stride, d)
	w.exec(`UPDATE test_clock SET at = $1`, w.clock.Step(d))
}

func (w *world) beat() *db.Beat {
	w.t.Helper()
	b, err := w.db.Beat(w.ctx, w.term)
	require.NoError(w.t, err)
	return b
}

func (w *world) plan() {
	w.t.Helper()
	require.NoError(w.t, w.sched.Plan(w.ctx, w.beat()))
	w.promise()
}

func (w *world) retention() { w.t.Helper(); require.NoError(w.t, w.sched.Retention(w.ctx, w.beat())) }
func (w *world) sweep()     { w.t.Helper(); require.NoError(w.t, w.sched.Sweep(w.ctx, w.beat())) }

// dispatch runs one dispatch and waits until the worker has nothing left to do.
func (w *world) dispatch() {
	w.t.Helper()
	require.NoError(w.t, w.sched.Dispatch(w.ctx, w.beat()))
	w.drain()
}

func (w *world) drain() {
	w.t.Helper()
	testkit.Eventually(w.t, "the queue is empty", 10*time.Minute, func() bool {
		var left []*redis.IntCmd
		_, err := w.rdb.TxPipelined(w.ctx, func(p redis.Pipeliner) error { // at one moment: tasks wander
			for _, key := range []string{"pending", "active"} {
				left = append(left, p.LLen(w.ctx, "asynq:{volumes}:"+key))
			}
			for _, key := range []string{"retry", "scheduled"} {
				left = append(left, p.ZCard(w.ctx, "asynq:{volumes}:"+key))
			}
			return nil
		})
		require.NoError(w.t, err)
		return !slices.ContainsFunc(left, func(n *redis.IntCmd) bool { return n.Val() > 0 })
	})
}

// beats runs what the leader would run at this moment, on its grids.
func (w *world) beats() {
	b := w.beat()
	due := func(last *time.Time, period backup.Duration) bool {
		return last == nil || backup.Grid(b.Now, period.Std()).After(backup.Grid(*last, period.Std()))
	}
	if due(b.PlannedAt, w.set.BackupServicePeriod) {
		w.plan()
	}
	if due(b.RetentionAt, w.set.RetentionServicePeriod) {
		w.retention()
	}
	w.dispatch()
}

// run lets time pass in steps.
func (w *world) run(total, step time.Duration) {
	w.t.Helper()
	for end := w.clock.Now().Add(total); w.clock.Now().Before(end); w.step(step) {
		w.beats()
	}
}

// protect makes a server that asks for backups, with volumes of 1 GiB.
func (w *world) protect(project, server string, volumes int, metadata ...string) (serverID string, volumeIDs []string) {
	meta := map[string]string{w.set.BackupMetadataKey: "true"}
	for i := 0; i+1 < len(metadata); i += 2 {
		meta[metadata[i]] = metadata[i+1]
	}
	serverID = w.sim.AddServer(project, server, meta)
	for range volumes {
		id := w.sim.AddVolume(project, "data", 1)
		w.sim.Attach(serverID, id)
		volumeIDs = append(volumeIDs, id)
	}
	return serverID, volumeIDs
}

// kinds writes the backups of a volume in Cinder, oldest first, as FIIF.
func (w *world) kinds(volumeID string) string {
	var b strings.Builder
	for _, one := range w.sim.BackupsOf(volumeID) {
		if one.Parent != "" {
			b.WriteByte('I')
		} else {
			b.WriteByte('F')
		}
	}
	return b.String()
}

// count is the number of records that a condition holds for.
func (w *world) count(where string, args ...any) (n int) {
	w.t.Helper()
	require.NoError(w.t, w.pool.QueryRow(w.ctx, `SELECT count(*) FROM records WHERE `+where, args...).Scan(&n))
	return n
}
