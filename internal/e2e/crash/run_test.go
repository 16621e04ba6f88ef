package crash

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit/mailbox"
)

// A crashLane executes one run after the other.
type crashLane struct {
	t        testing.TB
	scenario *crashScenario
	program  string
	server   *pgxpool.Pool // the Postgres server with all databases
	redisURL string
	rdb      redis.UniversalClient
	name     string
	box      *mailbox.Server
	runs     int
}

// A crashRun is a real scheduler and a real worker with a copy of the scenario's final state.
type crashRun struct {
	*crashLane

	url   string
	pool  *pgxpool.Pool
	sim   *cloudsim.Cloud
	clock *adjustableClock
	env   map[string]string
	point crashPoint
	trace string // folder for the names of the external calls; empty: not recorded
	procs map[string]*rig.Process
	died  bool
	logs  map[string]string // of processes that died
}

// run executes one run and returns what is wrong at its end.
func (l *crashLane) run(ctx context.Context, point crashPoint, trace string) (r *crashRun, wrong []string, err error) {
	l.runs++
	r = &crashRun{crashLane: l, point: point, trace: trace, procs: map[string]*rig.Process{}, logs: map[string]string{}}
	name := fmt.Sprintf("%s_%s_%d", l.scenario.database, l.name, l.runs)
	if _, err := l.server.Exec(ctx, `CREATE DATABASE `+name+` TEMPLATE `+l.scenario.database); err != nil {
		return r, nil, err
	}
	defer func() {
		_, dropped := l.server.Exec(context.WithoutCancel(ctx), `DROP DATABASE `+name+` WITH (FORCE)`)
		err = errors.Join(err, dropped)
	}()
	if err := l.rdb.FlushDB(ctx).Err(); err != nil {
		return r, nil, err
	}
	r.sim, r.clock = l.scenario.recording.replay()
	server := httptest.NewServer(r.sim)
	defer server.Close()
	r.url = l.scenario.databaseURL(name)
	if r.pool, err = pgxpool.New(ctx, r.url+"&pool_max_conns=2"); err != nil {
		return r, nil, err
	}
	defer r.pool.Close()
	r.env = r.sim.OpenRC(server.URL)
	maps.Copy(r.env, map[string]string{
		"STAFFELN_DATABASE_URL": r.url + "&pool_max_conns=3", "STAFFELN_REDIS_URL": l.redisURL, "STAFFELN_METRICS_LISTEN": "127.0.0.1:0",
		"STAFFELN_POLL_PERIOD": "1", "STAFFELN_BACKUP_MIN_INTERVAL": "1d", "STAFFELN_OPENSTACK_RETRY_TIMEOUT": "0",
		"STAFFELN_SENDER_EMAIL": rig.Sender, "STAFFELN_OPERATOR_RECEIVER": "operator@ops.example", "STAFFELN_SMTP_SERVER": l.box.Address, "STAFFELN_SMTP_TLS": "none",
		"STAFFELN_MAX_BACKUPS_IN_PROGRESS": "80", "STAFFELN_MAX_BACKUPS_IN_PROGRESS_PER_PROJECT": "20", "STAFFELN_BACKUP_MAX_OPERATIONS": "0",
		"STAFFELN_RECONCILE_PERIOD": fmt.Sprint(reconcilePeriod.Seconds()),
		"STAFFELN_STUCK_RESET":      fmt.Sprint(point.reset), "STAFFELN_WORKER_CONCURRENCY": "4",
	})
	if point.reset {
		r.env["STAFFELN_PROJECT_RECEIVER_DOMAIN"] = "tenants.example"
	}
	defer r.stop()
	if err := l.scenario.enqueueStale(ctx, l.rdb); err != nil {
		return r, nil, err
	}
	if err := r.advanceToEnd(ctx); err != nil {
		return r, nil, err
	}
	wrong, err = r.finalViolations(ctx)
	return r, wrong, err
}

// start starts one of the two processes. Only the first start of the process to kill has the crash point in its environment.
func (r *crashRun) start(name string) error {
	p := &rig.Process{Name: name, Cmd: exec.Command(r.program, name), Log: new(rig.Buffer), Done: make(chan struct{})} //nolint:noctx // stop ends it
	p.Cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir()}
	for key, value := range r.env {
		p.Cmd.Env = append(p.Cmd.Env, key+"="+value)
	}
	if r.trace != "" {
		p.Cmd.Env = append(p.Cmd.Env, "CRASH_TRACE="+r.trace+"/"+name)
	}
	if name == r.point.process && !r.died {
		p.Cmd.Env = append(p.Cmd.Env, fmt.Sprintf("CRASH_AT=%s %d %s", r.point.side, r.point.number, r.point.call))
	}
	p.Cmd.Stdout, p.Cmd.Stderr = p.Log, p.Log
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.Cmd.Start(); err != nil {
		return err
	}
	go func() { _ = p.Cmd.Wait(); close(p.Done) }() // the result is in ProcessState
	r.procs[name] = p
	return nil
}

func (r *crashRun) stop() {
	for name, p := range r.procs {
		_ = p.Cmd.Process.Kill() // the run is over
		<-p.Done
		r.logs[name] += p.Log.Tail(2500)
	}
}

// restartKilled starts the process again that died at the crash point. It fails if another process ended.
func (r *crashRun) restartKilled() error {
	for name, p := range r.procs {
		select {
		case <-p.Done:
		default:
			continue
		}
		status, _ := p.Cmd.ProcessState.Sys().(syscall.WaitStatus)
		if name != r.point.process || r.died || status.Signal() != syscall.SIGKILL {
			return fmt.Errorf("the %s has ended by itself: %s", name, p.Cmd.ProcessState)
		}
		r.died = true
		r.logs["killed "+name] = p.Log.Tail(2500)
		if err := r.start(name); err != nil {
			return err
		}
	}
	return nil
}
