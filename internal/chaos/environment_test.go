package chaos

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/kelseyhightower/envconfig"
	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/queuemodel"
)

// An environment is one run: the program with a cloud, a database and a queue, and all choices of the seed.
type environment struct {
	seed  uint64
	rng   *rand.Rand
	ctx   context.Context //nolint:containedctx // of the run
	store *store
	now   time.Time
	set   backup.Settings

	sim        *cloudsim.Cloud
	backupTime time.Duration
	queue      *queuemodel.Queue
	tenancy    *tenancy
	ended      string            // the backups recorded as gone, at the last check
	tags       map[string]string // record ID in each backup's tag, including backups that are gone

	schedulers, workers []*process
	started             int
	term                int64
	running             *actor // the actor that executes now
	nextFault           *fault // fault of the next actor; nil: a random one

	style        style
	calm         bool // no more faults
	databaseAway bool
	queueAway    bool
	stray        bool // a request was executed after the client gave up, so two backups at once are nobody's mistake
	delayed      []delayed
	view         view
	outages      []*outage
	putOff       map[string]time.Time // by project, the time until which the cloud may have postponed its backups

	lines      []string
	hash       uint64
	violations []string
}

// noon is the start time of all runs.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newEnvironment creates the environment of a seed, without a plan. The program logs to log.
func newEnvironment(ctx context.Context, p *store, seed uint64, log zerolog.Logger) (*environment, error) {
	env := &environment{seed: seed, rng: rand.New(rand.NewPCG(seed, 0x6368616f73)), store: p, now: noon, tags: map[string]string{}, putOff: map[string]time.Time{}}
	env.view = view{unlisted: map[string]bool{}, unknown: map[string]bool{}, lost: map[string]bool{}}
	env.ctx = log.WithContext(ctx)
	if err := envconfig.Process("STAFFELN_CHAOS_DEFAULTS", &env.set); err != nil {
		return nil, err
	}
	env.style = env.drawStyle()
	env.drawSettings()
	if err := p.empty(ctx, seed, env.now); err != nil {
		return nil, fmt.Errorf("empty database and queue: %w", err)
	}
	env.sim = cloudsim.New(env.drawCloud())
	env.queue = queuemodel.New(func() time.Time { return env.now }, env.set.PollPeriod.Std())
	env.queue.Response = env.enqueueResult
	env.setUpTenants()
	for range 2 {
		env.startScheduler()
	}
	for range 2 + env.rng.IntN(2) {
		env.startWorker()
	}
	return env, nil
}

// trace adds a line to the trace.
func (env *environment) trace(format string, args ...any) {
	line := env.now.Sub(noon).String() + " " + fmt.Sprintf(format, args...)
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, env.hash, line)
	env.hash = h.Sum64()
	env.lines = append(env.lines, line)
}

func (env *environment) violate(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	env.violations = append(env.violations, text)
	env.trace("VIOLATED: %s", text)
}

// must panics if an action of the test itself fails; that never happens.
func (env *environment) must(err error) {
	if err != nil {
		panic(fmt.Errorf("seed %d: %w", env.seed, err))
	}
}

// advance lets time pass.
func (env *environment) advance(d time.Duration) {
	env.now = env.now.Add(d)
	_, err := env.store.conn.Exec(env.ctx, `UPDATE chaos.clock SET now = $1`, env.now)
	env.must(err)
	for _, b := range env.sim.Backups() {
		if env.tags[b.ID] == "" {
			env.tags[b.ID] = b.Metadata[backup.TagRecord]
		}
	}
	env.endOverdue()
}

// until returns the time until the next point of a grid.
func (env *environment) until(grid backup.Duration) time.Duration {
	return backup.Grid(env.now, grid.Std()).Add(grid.Std()).Sub(env.now)
}
