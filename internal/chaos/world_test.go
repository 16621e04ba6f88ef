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
	"staffeln/openstack"
	"staffeln/scheduler"
	"staffeln/tasks"
	"staffeln/worker"
)

// A world is one run: the program around a cloud, a database and a queue, and what the seed makes of it.
type world struct {
	seed  uint64
	rng   *rand.Rand
	ctx   context.Context //nolint:containedctx // the run's own
	place *place
	now   time.Time
	set   backup.Settings

	sim        *cloudsim.Cloud
	backupTime time.Duration
	queue      *queuemodel.Queue
	estate     *estate
	ended      string            // what was recorded as gone when it was looked at last
	tags       map[string]string // the record that a backup's tag names, also of those that are gone

	schedulers, workers []*process
	started             int
	term                int64
	running             *actor // whose turn it is
	chosen              *fate  // of the next actor; nil: it is drawn

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

// newWorld makes the world of a seed, with nothing planned yet. The log gets what the program logs.
func newWorld(ctx context.Context, p *place, seed uint64, log zerolog.Logger) (*world, error) {
	w := &world{seed: seed, rng: rand.New(rand.NewPCG(seed, 0x6368616f73)), place: p, now: noon, tags: map[string]string{}, putOff: map[string]time.Time{}}
	w.view = view{unlisted: map[string]bool{}, unknown: map[string]bool{}, lost: map[string]bool{}}
	w.ctx = log.WithContext(ctx)
	if err := envconfig.Process("STAFFELN_CHAOS_DEFAULTS", &w.set); err != nil {
		return nil, err
	}
	w.style = w.drawStyle()
	w.drawSettings()
	if err := p.empty(ctx, seed, w.now); err != nil {
		return nil, fmt.Errorf("empty the place: %w", err)
	}
	w.sim = cloudsim.New(w.drawCloud())
	w.queue = queuemodel.New(func() time.Time { return w.now }, w.set.PollPeriod.Std())
	w.queue.Answer = w.answerEnqueue
	w.settleEstate()
	for range 2 {
		w.startScheduler()
	}
	for range 2 + w.rng.IntN(2) {
		w.startWorker()
	}
	return w, nil
}

// tell writes a line of the trace.
func (w *world) tell(format string, args ...any) {
	line := w.now.Sub(noon).String() + " " + fmt.Sprintf(format, args...)
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, w.hash, line)
	w.hash = h.Sum64()
	w.lines = append(w.lines, line)
}

func (w *world) violate(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.violations = append(w.violations, text)
	w.tell("VIOLATED: %s", text)
}

// must is for the driver's own doings, which never fail.
func (w *world) must(err error) {
	if err != nil {
		panic(fmt.Errorf("seed %d: %w", w.seed, err))
	}
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	_, err := w.place.hand.Exec(w.ctx, `UPDATE chaos.clock SET now = $1`, w.now)
	w.must(err)
	for _, b := range w.sim.Backups() {
		if w.tags[b.ID] == "" {
			w.tags[b.ID] = b.Metadata[backup.TagRecord]
		}
	}
	w.overdue()
}

// until is the time from now to the next one on a grid.
func (w *world) until(grid backup.Duration) time.Duration {
	return backup.Grid(w.now, grid.Std()).Add(grid.Std()).Sub(w.now)
}

// cloud is a client of its own, as each process has it; nil where it can't be had now.
func (w *world) cloud() *openstack.Cloud {
	env := w.sim.OpenRC("http://cloud.example")
	credentials, err := openstack.FromEnv(func(name string) string { return env[name] })
	w.must(err)
	cloud, err := openstack.Connect(w.ctx, credentials, openstack.Config{SecretRoles: []string{"admin", "creator"}},
		openstack.WithTransport(wire{w}), openstack.InTurn())
	if err != nil {
		w.tell("no start: %s", brief(err))
		return nil
	}
	return cloud
}

func (w *world) identity(cloud *openstack.Cloud) backup.Identity {
	return backup.Identity{Installation: fmt.Sprintf("chaos-%d", w.seed), UserID: cloud.UserID()}
}

func (w *world) startScheduler() (ok bool) {
	cloud := w.cloud()
	if cloud == nil {
		return false
	}
	w.started++
	p := &process{name: fmt.Sprintf("S%d", w.started), cloud: cloud}
	p.sched = &scheduler.Scheduler{
		DB: w.place.db, Cloud: p.cloud, Queue: w.queue, Settings: w.set, Metrics: w.place.metrics, Identity: w.identity(p.cloud), InTurn: true,
	}
	w.schedulers = append(w.schedulers, p)
	w.tell("%s starts", p.name)
	return true
}

func (w *world) startWorker() (ok bool) {
	cloud := w.cloud()
	if cloud == nil {
		return false
	}
	w.started++
	p := &process{name: fmt.Sprintf("W%d", w.started), cloud: cloud}
	p.handlers = (&worker.Worker{
		DB: w.place.db, Cloud: p.cloud, Settings: w.set, Metrics: w.place.metrics, Identity: w.identity(p.cloud),
	}).Handlers()
	w.workers = append(w.workers, p)
	w.tell("%s starts", p.name)
	return true
}

// lead begins a term of a scheduler, as the lock of its session would let it.
func (w *world) lead(p *process) {
	const q = `UPDATE leadership SET term = term + 1, leader = $1, since = staffeln_now() RETURNING term`
	w.must(w.place.hand.QueryRow(w.ctx, q, p.name).Scan(&p.term))
	w.term = p.term
	w.tell("%s leads in term %d", p.name, p.term)
}

// leader is the living scheduler of the newest term; nil where it died.
func (w *world) leader() *process {
	for _, p := range w.schedulers {
		if p.term == w.term && p.term > 0 {
			return p
		}
	}
	return nil
}

// turn lets a scheduler do what is due now in the term that it believes in.
func (w *world) turn(p *process) *actor {
	a := w.act(p, "turn", func(ctx context.Context) error {
		_, err := p.sched.Turn(ctx, p.term)
		return err
	})
	w.must(w.place.hand.QueryRow(w.ctx, `SELECT planned_at FROM leadership`).Scan(&a.planned))
	w.proceed(a)
	if a.ended {
		w.promise(a)
	}
	return a
}

// handle lets a worker take a pending task.
func (w *world) handle(p *process, id string) *actor {
	run := w.queue.Start(id)
	do := map[tasks.Kind]func(context.Context, tasks.Volume) error{
		tasks.VolumeBackup: p.handlers.Backup, tasks.VolumePoll: p.handlers.Poll, tasks.VolumeRetention: p.handlers.Retention,
	}[run.Kind]
	a := w.act(p, fmt.Sprintf("%s %s", strings.TrimPrefix(string(run.Kind), "volume:"), strings.TrimPrefix(id, "volume:")), func(ctx context.Context) error {
		return do(ctx, run.Volume)
	})
	a.run = run
	w.tell("%s begins", a.name)
	w.proceed(a)
	if a.ended {
		w.release(a)
	}
	return a
}

// release tells the queue how a handler ended.
func (w *world) release(a *actor) {
	switch {
	case a.run == nil || a.untold:
	case a.process.dead:
		a.run.Abandon(w.recovery())
	case a.drained:
		a.run.GiveBack()
	case w.queueAway || w.strikes(w.style.unheardEnds):
		w.tell("%s: the queue does not hear of it", a.name)
		a.run.Abandon(w.recovery())
	default:
		a.run.End(a.err)
	}
	a.untold = true
}

// recovery is how long the queue needs to notice that a worker is gone.
func (w *world) recovery() time.Duration {
	return queuemodel.SoonestRecovery + time.Duration(w.rng.Int64N(int64(queuemodel.LatestRecovery-queuemodel.SoonestRecovery)))
}

// hung says what the queue makes of a handler that goes on no more: either its process is frozen, and the task's lease
// runs out, or only its call hangs, and the time of the run is over after 100 s.
func (w *world) hung(a *actor) {
	if a.run != nil && !a.untold && w.rng.IntN(2) == 0 {
		a.run.Abandon(w.recovery())
		a.untold = true
	}
}

// overdue ends for the queue the runs whose time is over.
func (w *world) overdue() {
	for _, p := range w.workers {
		for _, a := range p.actors {
			if a.run != nil && !a.untold && w.now.Sub(a.began) >= 100*time.Second {
				w.tell("%s: time over", a.name)
				a.run.End(context.DeadlineExceeded)
				a.untold = true
			}
		}
	}
}

// drain tells a process to stop: the contexts of its handlers end.
func (w *world) drain(p *process) {
	p.leaving = true
	for _, a := range p.actors {
		a.drained = true
		a.cancel()
	}
}
