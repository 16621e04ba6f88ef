//go:build faults

// Package faults runs the real processes while processes, servers, connections or clocks fail.
package faults

import (
	"flag"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit/private"
	"staffeln/tasks"
)

var seed = flag.Uint64("seed", 0, "seed of all random decisions in the tests under faults; 0 chooses another one each time")

// The policy of all volumes in these tests. The chains are as short as possible, and the floor is above one.
const (
	interval  = 15 * time.Second
	retention = 25 * time.Second
	floor     = 2
	lease     = tasks.LeaseTime
)

// installation is the program as real processes under load, with its own Postgres and Redis, which a test can stop, empty and
// replace.
type installation struct {
	*rig.Deployment

	chance          *rand.Rand
	began           time.Time
	home            string // folder of the servers
	postgres, redis *private.Server
	proxies         *proxies // nil: direct connections
	instances       []*instance
	servers         []string // servers of the cloud, by ID
	volumes         []string
	program         string           // binary of all processes
	policy          policy           // for the invariants
	clock           func() time.Time // of the cloud; nil: the wall clock
}

// policy is what the invariants are checked with, if a test expects something other than the settings of the processes.
type policy struct {
	retention time.Duration
	uncapped  bool // backups that the database has lost still count for the caps in Cinder
}

// A change modifies how an installation is created.
type change func(*installation, *cloudsim.Options, map[string]string)

// with sets environment variables of all processes.
func with(env map[string]string) change {
	return func(_ *installation, _ *cloudsim.Options, all map[string]string) { maps.Copy(all, env) }
}

// withProxies gives each pair of process and server its own proxy.
func withProxies(r *installation, _ *cloudsim.Options, _ map[string]string) {
	r.proxies = newProxies(r.T)
}

// newInstallation starts servers and a cloud with thirty protected volumes in three projects. Periods are short; all other
// settings are production defaults.
func newInstallation(t *testing.T, changes ...change) *installation {
	t.Helper()
	r := &installation{Deployment: &rig.Deployment{T: t, Ctx: t.Context(), Env: map[string]string{}}, began: time.Now(), home: t.TempDir(), program: rig.Program(t), policy: policy{retention: retention}}
	chosen := *seed
	if chosen == 0 {
		chosen = rand.Uint64() >> 1
	}
	name := fnv.New64a()
	_, _ = name.Write([]byte(t.Name())) // never fails
	r.chance = rand.New(rand.NewPCG(chosen, name.Sum64()))
	t.Logf("again with: make test-faults FLAGS='-seed %d'", chosen)
	t.Cleanup(func() { t.Logf("%s took %.0f s", t.Name(), time.Since(r.began).Seconds()) })

	opts := cloudsim.Options{BackupTime: func(int) time.Duration { return time.Second + time.Duration(rand.Int64N(int64(2*time.Second))) }}
	asked := map[string]string{}
	for _, c := range changes {
		c(r, &opts, asked)
	}
	r.clock = opts.Now
	r.serve()
	r.Sim = cloudsim.New(opts)
	cloud := httptest.NewServer(r.Sim)
	t.Cleanup(cloud.Close)
	maps.Copy(r.Env, r.Sim.OpenRC(cloud.URL))
	maps.Copy(r.Env, r.settings())
	maps.Copy(r.Env, asked)
	r.prepare()
	seeded := cloudsim.Seed(r.Sim, cloudsim.SeedOptions{Projects: 3, Servers: 15, VolumesPerServer: 2, MetadataKey: "__staffeln_backup"})
	r.servers, r.volumes = seeded.Servers, seeded.Volumes
	if r.proxies != nil {
		for _, role := range []string{"scheduler", "worker", "api"} {
			r.proxies.add(role+"-postgres", r.postgres.URL)
			r.proxies.add(role+"-redis", r.redis.URL)
			r.proxies.add(role+"-cloud", cloud.URL)
		}
	}
	return r
}

// serve starts the servers that all processes share. An acknowledged commit survives a kill of Postgres; a crash of the
// machine is not tested.
func (r *installation) serve() {
	r.T.Helper()
	var err error
	r.postgres, err = private.StartPostgres(r.Ctx, r.home)
	require.NoError(r.T, err)
	r.T.Cleanup(func() { assert.NoError(r.T, r.postgres.Stop()) })
	r.redis, err = private.StartRedis(r.Ctx, r.home)
	require.NoError(r.T, err)
	r.T.Cleanup(func() { assert.NoError(r.T, r.redis.Stop()) })
	r.URL = r.postgres.URL
	r.DB, err = pgxpool.New(r.Ctx, r.URL)
	require.NoError(r.T, err)
	r.T.Cleanup(r.DB.Close)
	r.exec(`ALTER DATABASE postgres SET synchronous_commit = on`)
	r.Redis, err = tasks.Connect(r.redis.URL)
	require.NoError(r.T, err)
	r.T.Cleanup(func() { _ = r.Redis.Close() })
}

func (r *installation) settings() map[string]string {
	seconds := func(d time.Duration) string { return fmt.Sprint(d.Seconds()) }
	return map[string]string{
		"STAFFELN_DATABASE_URL": r.URL, "STAFFELN_REDIS_URL": r.redis.URL, "STAFFELN_ALLOW_SHORT_PERIODS": "true",
		"STAFFELN_BACKUP_SERVICE_PERIOD": "5", "STAFFELN_BACKUP_MIN_INTERVAL": seconds(interval), "STAFFELN_POLL_PERIOD": "1",
		"STAFFELN_FULL_BACKUP_DEPTH": "1", "STAFFELN_POST_SETTLE_TIME": "15", "STAFFELN_RECONCILE_PERIOD": "10", "STAFFELN_RETENTION_SERVICE_PERIOD": "5",
		"STAFFELN_RETENTION_TIME": seconds(retention), "STAFFELN_MIN_RESTORE_POINTS": fmt.Sprint(floor), "STAFFELN_PROTECTION_GRACE": "0",
		"STAFFELN_MAX_BACKUPS_IN_PROGRESS": "12", "STAFFELN_OPENSTACK_RETRY_TIMEOUT": "20", "STAFFELN_OPENSTACK_MAX_RETRY_INTERVAL": "5",
	}
}

// prepare migrates the database with the real program.
func (r *installation) prepare() {
	r.T.Helper()
	out, code := rig.Output(r.T, map[string]string{"STAFFELN_DATABASE_URL": r.URL}, "migrate", "up")
	require.Zero(r.T, code, out)
}

func (r *installation) exec(statement string, args ...any) {
	r.T.Helper()
	_, err := r.DB.Exec(r.Ctx, statement, args...)
	require.NoError(r.T, err)
}
