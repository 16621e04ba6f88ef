package chaos

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"
	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/queuemodel"
	"staffeln/internal/testkit/inprocess"
	"staffeln/openstack"
	"staffeln/scheduler"
	"staffeln/worker"
)

// An environment is one run: the program around a cloud, a database and a queue, and what the seed makes of it.
type environment struct {
	seed  uint64
	rng   *rand.Rand
	ctx   context.Context //nolint:containedctx // the run's own
	store *store
	now   time.Time
	set   backup.Settings

	sim        *cloudsim.Cloud
	backupTime time.Duration
	queue      *queuemodel.Queue
	tenancy    *tenancy
	ended      string            // what was recorded as gone when it was looked at last
	tags       map[string]string // the record that a backup's tag names, also of those that are gone

	schedulers, workers []*process
	started             int
	term                int64
	running             *actor // whose turn it is
	chosen              *fault // of the next actor; nil: it is drawn

	style        style
	calm         bool // no more faults
	databaseAway bool
	queueAway    bool
	stray        bool // a request was executed after it had been given up: two at once are then nobody's fault
	delayed      []delayed
	view         view
	outages      []*outage
	putOff       map[string]time.Time // until when the cloud may have asked not to be asked, by project

	lines      []string
	hash       uint64
	violations []string
}

// noon is when all runs begin.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newEnvironment makes the environment of a seed, with nothing planned yet. The log gets what the program logs.
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
		return nil, fmt.Errorf("empty the place: %w", err)
	}
	env.sim = cloudsim.New(env.drawCloud())
	env.queue = queuemodel.New(func() time.Time { return env.now }, env.set.PollPeriod.Std())
	env.queue.Answer = env.answerEnqueue
	env.setUpTenants()
	for range 2 {
		env.startScheduler()
	}
	for range 2 + env.rng.IntN(2) {
		env.startWorker()
	}
	return env, nil
}

// trace writes a line of the trace.
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

// must is for what the test itself does, which never fails.
func (env *environment) must(err error) {
	if err != nil {
		panic(fmt.Errorf("seed %d: %w", env.seed, err))
	}
}

// pass lets time pass.
func (env *environment) pass(d time.Duration) {
	env.now = env.now.Add(d)
	_, err := env.store.conn.Exec(env.ctx, `UPDATE chaos.clock SET now = $1`, env.now)
	env.must(err)
	for _, b := range env.sim.Backups() {
		if env.tags[b.ID] == "" {
			env.tags[b.ID] = b.Metadata[backup.TagRecord]
		}
	}
	env.overdue()
}

// until is the time from now to the next one on a grid.
func (env *environment) until(grid backup.Duration) time.Duration {
	return backup.Grid(env.now, grid.Std()).Add(grid.Std()).Sub(env.now)
}

// cloud is a client of its own, as each process has it; nil where it can't be had now.
func (env *environment) cloud() *openstack.Cloud {
	cloud, err := inprocess.Connect(env.ctx, env.sim, "staffeln", wire{env})
	if err != nil {
		env.trace("no start: %s", brief(err))
		return nil
	}
	return cloud
}

func (env *environment) identity(cloud *openstack.Cloud) backup.Identity {
	return backup.Identity{Installation: fmt.Sprintf("chaos-%d", env.seed), UserID: cloud.UserID()}
}

func (env *environment) startScheduler() (ok bool) {
	cloud := env.cloud()
	if cloud == nil {
		return false
	}
	env.started++
	p := &process{name: fmt.Sprintf("S%d", env.started), cloud: cloud}
	p.sched = &scheduler.Scheduler{
		DB: env.store.db, Cloud: p.cloud, Queue: env.queue, Settings: env.set, Metrics: env.store.metrics, Identity: env.identity(p.cloud), InTurn: true,
	}
	env.schedulers = append(env.schedulers, p)
	env.trace("%s starts", p.name)
	return true
}

func (env *environment) startWorker() (ok bool) {
	cloud := env.cloud()
	if cloud == nil {
		return false
	}
	env.started++
	p := &process{name: fmt.Sprintf("W%d", env.started), cloud: cloud}
	p.handlers = (&worker.Worker{
		DB: env.store.db, Cloud: p.cloud, Settings: env.set, Metrics: env.store.metrics, Identity: env.identity(p.cloud),
	}).Handlers()
	env.workers = append(env.workers, p)
	env.trace("%s starts", p.name)
	return true
}

// lead begins a term of a scheduler, as the lock of its session would let it.
func (env *environment) lead(p *process) {
	var err error
	p.term, err = inprocess.Lead(env.ctx, env.store.conn, p.name)
	env.must(err)
	env.term = p.term
	env.trace("%s leads in term %d", p.name, p.term)
}

// leader is the living scheduler of the newest term; nil where it died.
func (env *environment) leader() *process {
	for _, p := range env.schedulers {
		if p.term == env.term && p.term > 0 {
			return p
		}
	}
	return nil
}

// turn lets a scheduler do what is due now in the term that it believes in.
func (env *environment) turn(p *process) *actor {
	a := env.act(p, "turn", func(ctx context.Context) error {
		_, err := p.sched.Turn(ctx, p.term)
		return err
	})
	env.must(env.store.conn.QueryRow(env.ctx, `SELECT planned_beat FROM leadership`).Scan(&a.planned))
	env.proceed(a)
	if a.ended {
		env.promise(a)
	}
	return a
}

// handle lets a worker take a pending task.
func (env *environment) handle(p *process, id string) *actor {
	run := env.queue.Start(id)
	do := inprocess.Handler(p.handlers, run.Kind)
	a := env.act(p, fmt.Sprintf("%s %s", strings.TrimPrefix(string(run.Kind), "volume:"), strings.TrimPrefix(id, "volume:")), func(ctx context.Context) error {
		return do(ctx, run.Volume)
	})
	a.run = run
	env.trace("%s begins", a.name)
	env.proceed(a)
	if a.ended {
		env.release(a)
	}
	return a
}

// release reports to the queue how a handler ended.
func (env *environment) release(a *actor) {
	switch {
	case a.run == nil || a.unreported:
	case a.process.dead:
		a.run.Abandon(env.recovery())
	case a.drained:
		a.run.GiveBack()
	case env.queueAway || env.strikes(env.style.unheardEnds):
		env.trace("%s: the queue does not hear of it", a.name)
		a.run.Abandon(env.recovery())
	default:
		a.run.End(a.err)
	}
	a.unreported = true
}

// recovery is how long the queue needs to notice that a worker is gone.
func (env *environment) recovery() time.Duration {
	return queuemodel.SoonestRecovery + time.Duration(env.rng.Int64N(int64(queuemodel.LatestRecovery-queuemodel.SoonestRecovery)))
}

// hung says what the queue makes of a handler that goes on no more: either its process is frozen, and the task's lease
// runs out, or only its call hangs, and the time of the run is over after 100 s.
func (env *environment) hung(a *actor) {
	if a.run != nil && !a.unreported && env.rng.IntN(2) == 0 {
		a.run.Abandon(env.recovery())
		a.unreported = true
	}
}

// overdue ends for the queue the runs whose time is over.
func (env *environment) overdue() {
	for _, p := range env.workers {
		for _, a := range p.actors {
			if a.run != nil && !a.unreported && env.now.Sub(a.began) >= 100*time.Second {
				env.trace("%s: time over", a.name)
				a.run.End(context.DeadlineExceeded)
				a.unreported = true
			}
		}
	}
}

// drain asks a process to stop: the contexts of its handlers end.
func (env *environment) drain(p *process) {
	p.leaving = true
	for _, a := range p.actors {
		a.drained = true
		a.cancel()
	}
}
