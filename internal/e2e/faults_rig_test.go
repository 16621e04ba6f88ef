//go:build faults

package e2e

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
	"staffeln/internal/testkit/private"
	"staffeln/tasks"
)

var seed = flag.Uint64("seed", 0, "of all that chance decides in the tests under faults; 0 takes another one each time")

// What the tests under faults ask of all volumes. The shortest chains that there are, and a floor above one.
const (
	interval  = 15 * time.Second
	retention = 25 * time.Second
	floor     = 2
	lease     = tasks.Lease
)

// rig is the program as real processes under load, with a Postgres and a Redis of its own that may be stopped, emptied
// and replaced.
type rig struct {
	*house

	chance          *rand.Rand
	began           time.Time
	home            string // of the servers
	postgres, redis *private.Server
	wiring          *wiring // nil: the processes speak to their servers directly
	crew            []*mate
	servers         []string // of the cloud
	volumes         []string
	program         string           // that all processes run
	policy          policy           // that the laws judge by
	clock           func() time.Time // the cloud's; nil: the wall clock
}

// policy is what the laws judge by, where a scenario means another one than the processes were told.
type policy struct {
	retention time.Duration
	uncapped  bool // backups that nobody remembers keep their places in the caps
}

// A change of how a rig is made.
type change func(*rig, *cloudsim.Options, map[string]string)

// with sets variables of all processes.
func with(env map[string]string) change {
	return func(_ *rig, _ *cloudsim.Options, all map[string]string) { maps.Copy(all, env) }
}

// wired gives each pair of process and server a wire of its own.
func wired(r *rig, _ *cloudsim.Options, _ map[string]string) { r.wiring = newWiring(r.t) }

// newRig starts servers and a cloud with thirty protected volumes in three projects. Periods are short; what is not set
// here is the default of production.
func newRig(t *testing.T, changes ...change) *rig {
	t.Helper()
	r := &rig{house: &house{t: t, ctx: t.Context(), env: map[string]string{}}, began: time.Now(), home: t.TempDir(), program: program(t), policy: policy{retention: retention}}
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
	r.sim = cloudsim.New(opts)
	cloud := httptest.NewServer(r.sim)
	t.Cleanup(cloud.Close)
	maps.Copy(r.env, r.sim.OpenRC(cloud.URL))
	maps.Copy(r.env, r.settings())
	maps.Copy(r.env, asked)
	r.prepare()
	seeded := cloudsim.Seed(r.sim, cloudsim.SeedOptions{Projects: 3, Servers: 15, VolumesPerServer: 2, MetadataKey: "__staffeln_backup"})
	r.servers, r.volumes = seeded.Servers, seeded.Volumes
	if r.wiring != nil {
		for _, role := range []string{"scheduler", "worker", "api"} {
			r.wiring.lay(role+"-postgres", r.postgres.URL)
			r.wiring.lay(role+"-redis", r.redis.URL)
			r.wiring.lay(role+"-cloud", cloud.URL)
		}
	}
	return r
}

// serve starts the servers that all of this rig's processes share. A commit that was answered survives a kill of
// Postgres; that of the machine is not tried.
func (r *rig) serve() {
	r.t.Helper()
	var err error
	r.postgres, err = private.StartPostgres(r.ctx, r.home)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { assert.NoError(r.t, r.postgres.Stop()) })
	r.redis, err = private.StartRedis(r.ctx, r.home)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { assert.NoError(r.t, r.redis.Stop()) })
	r.url = r.postgres.URL
	r.db, err = pgxpool.New(r.ctx, r.url)
	require.NoError(r.t, err)
	r.t.Cleanup(r.db.Close)
	r.exec(`ALTER DATABASE postgres SET synchronous_commit = on`)
	r.rdb, err = tasks.Connect(r.redis.URL)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = r.rdb.Close() })
}

func (r *rig) settings() map[string]string {
	seconds := func(d time.Duration) string { return fmt.Sprint(d.Seconds()) }
	return map[string]string{
		"STAFFELN_DATABASE_URL": r.url, "STAFFELN_REDIS_URL": r.redis.URL, "STAFFELN_ALLOW_SHORT_PERIODS": "true",
		"STAFFELN_BACKUP_SERVICE_PERIOD": "5", "STAFFELN_BACKUP_MIN_INTERVAL": seconds(interval), "STAFFELN_POLL_PERIOD": "1",
		"STAFFELN_FULL_BACKUP_DEPTH": "1", "STAFFELN_POST_SETTLE_TIME": "15", "STAFFELN_SWEEP_PERIOD": "10", "STAFFELN_RETENTION_SERVICE_PERIOD": "5",
		"STAFFELN_RETENTION_TIME": seconds(retention), "STAFFELN_MIN_RESTORE_POINTS": fmt.Sprint(floor), "STAFFELN_PROTECTION_GRACE": "0",
		"STAFFELN_MAX_BACKUPS_IN_PROGRESS": "12", "STAFFELN_OPENSTACK_RETRY_TIMEOUT": "20", "STAFFELN_OPENSTACK_MAX_RETRY_INTERVAL": "5",
	}
}

// prepare migrates the database with the real program.
func (r *rig) prepare() {
	r.t.Helper()
	out, code := finish(r.t, map[string]string{"STAFFELN_DATABASE_URL": r.url}, "migrate", "up")
	require.Zero(r.t, code, out)
}

func (r *rig) exec(statement string, args ...any) {
	r.t.Helper()
	_, err := r.db.Exec(r.ctx, statement, args...)
	require.NoError(r.t, err)
}
