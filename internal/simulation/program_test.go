package simulation

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/kelseyhightower/envconfig"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/cloudsim"
	"staffeln/internal/inprocess"
	"staffeln/internal/queuemodel"
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
	"staffeln/openstack"
	"staffeln/scheduler"
	"staffeln/tasks"
	"staffeln/worker"
)

const defaultRetention = 5 * day

// settings returns the operator's settings: a backup of each volume every day, kept for five days.
func settings(t *testing.T) backup.Settings {
	t.Helper()
	var set backup.Settings
	require.NoError(t, envconfig.Process("STAFFELN_SIMULATION_DEFAULTS", &set))
	set.BackupServicePeriod, set.BackupMinInterval = backup.Duration(2*time.Hour), backup.Duration(24*time.Hour)
	set.RetentionTime, set.RetentionServicePeriod = backup.Period{Clock: defaultRetention}, backup.Duration(2*time.Hour)
	set.RetentionMin, set.RetentionShortenDelay = backup.Period{}, backup.Duration(48*time.Hour)
	set.RPOGrace, set.ProtectionGrace = backup.Duration(6*time.Hour), 0
	require.NoError(t, set.Validate())
	return set
}

// How long Cinder takes for a backup, and for a deletion.
const (
	makingTime   = 9 * time.Minute
	removingTime = 2 * time.Minute
)

// begin is the Monday, at midnight, on which the calendar begins.
var begin = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// A program is all of Staffeln's processes, with a cloud.
type program struct {
	t        *testing.T
	ctx      context.Context //nolint:containedctx // of the test
	now      time.Time
	clock    *testkit.DBClock
	set      backup.Settings
	cloud    *cloudsim.Cloud
	db       *db.DB
	conn     *pgx.Conn // of the test
	metrics  *telemetry.Metrics
	queue    *queuemodel.Queue
	identity backup.Identity

	schedulers   []*scheduler.Scheduler
	workers      []tasks.Handlers
	lead         int // index of the leading scheduler
	term         int64
	turns, tasks int
	password     string // of the running processes

	databaseAway, queueAway, schedulerAway, workersAway bool
}

func newProgram(t *testing.T) *program {
	t.Helper()
	p := &program{t: t, now: begin, set: settings(t), metrics: telemetry.NewMetrics(), password: "staffeln"}
	p.ctx = zerolog.Nop().WithContext(t.Context())
	p.cloud = cloudsim.New(cloudsim.Options{
		Now: func() time.Time { return p.now }, Seed: 60, TokenLife: 24 * time.Hour, Backups: -1, BackupGigabytes: -1,
		BackupTime: cloudsim.Fixed(makingTime), DeleteTime: cloudsim.Fixed(removingTime), RestoreTime: cloudsim.Fixed(3 * time.Hour),
	})
	var url string
	url, p.conn = inprocess.Database(t)
	p.clock = testkit.StepClock(t, url)
	p.clock.Set(p.now)
	var err error
	p.db, err = db.Open(p.ctx, url+inprocess.Options, p.metrics, func(c *pgxpool.Config) { c.ConnConfig.Tracer = statements{p} })
	require.NoError(t, err)
	t.Cleanup(p.db.Close)
	p.queue = queuemodel.New(func() time.Time { return p.now }, p.set.PollPeriod.Std())
	p.queue.Response = func(context.Context, tasks.Item) (bool, error) {
		if p.queueAway {
			return false, errAway
		}
		return true, nil
	}
	p.start()
	p.takeLead()
	return p
}

var errAway = errors.New("no connection")

// statements rejects all SQL statements while the database is down.
type statements struct{ program *program }

func (s statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	if !s.program.databaseAway {
		return ctx
	}
	over, cancel := context.WithCancel(ctx)
	cancel() // this rejects the statement
	return over
}

func (statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// start starts two schedulers and three workers again, with the current password.
func (p *program) start() {
	p.t.Helper()
	p.schedulers, p.workers = nil, nil
	installation, err := p.db.Installation(p.ctx)
	require.NoError(p.t, err)
	connect := func() *openstack.Cloud {
		cloud, err := inprocess.Connect(p.ctx, p.cloud, p.password, inprocess.Transport{Cloud: p.cloud})
		require.NoError(p.t, err)
		p.identity = backup.Identity{Installation: installation, UserID: cloud.UserID()}
		return cloud
	}
	for range 2 {
		cloud := connect()
		p.schedulers = append(p.schedulers, &scheduler.Scheduler{DB: p.db, Cloud: cloud, Queue: p.queue, Settings: p.set, Metrics: p.metrics, Identity: p.identity})
	}
	for range 3 {
		cloud := connect()
		p.workers = append(p.workers, (&worker.Worker{DB: p.db, Cloud: cloud, Settings: p.set, Metrics: p.metrics, Identity: p.identity}).Handlers())
	}
}

// takeLead makes the other scheduler the leader.
func (p *program) takeLead() {
	p.t.Helper()
	p.lead = 1 - p.lead
	var err error
	p.term, err = inprocess.Lead(p.ctx, p.conn, []string{"scheduler-1", "scheduler-2"}[p.lead])
	require.NoError(p.t, err)
}

// work runs what is due now: the leader's turn, and all tasks that follow. What fails is tried again later.
func (p *program) work() {
	if !p.schedulerAway {
		p.turns++
		_, _ = p.schedulers[p.lead].Turn(p.ctx, p.term) // its failures are in the tables
	}
	for !p.workersAway && !p.queueAway {
		pending := p.queue.Pending()
		if len(pending) == 0 {
			return
		}
		run := p.queue.Start(pending[0])
		h := p.workers[p.tasks%len(p.workers)]
		p.tasks++
		run.End(inprocess.Handler(h, run.Kind)(p.ctx, run.Volume))
	}
}

// workLeft reports whether anything is planned or in progress.
func (p *program) workLeft() bool {
	p.t.Helper()
	is, err := inprocess.InProgress(p.ctx, p.conn)
	require.NoError(p.t, err)
	return is
}
