package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/kelseyhightower/envconfig"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/cloudsim"
	"staffeln/internal/telemetry"
	"staffeln/openstack"
	"staffeln/scheduler"
	"staffeln/tasks"
)

// The environment variables of a scheduler process that dispatches without leadership.
const (
	dispatchTerm     = "E2E_DISPATCH_TERM"
	dispatchDatabase = "E2E_DISPATCH_DATABASE"
	dispatchRedis    = "E2E_DISPATCH_REDIS"
	dispatches       = 10
)

// dispatchForced is the main function of such a process: it runs ten dispatch runs in a term that it does not lead, and prints
// its counts of outcomes.
func dispatchForced(term string) error {
	ctx := zerolog.New(os.Stderr).WithContext(context.Background())
	n, err := strconv.ParseInt(term, 10, 64)
	if err != nil {
		return err
	}
	var set backup.Settings
	if err := envconfig.Process("STAFFELN", &set); err != nil {
		return err
	}
	m := telemetry.NewMetrics()
	database, err := db.Open(ctx, os.Getenv(dispatchDatabase), m)
	if err != nil {
		return err
	}
	defer database.Close()
	rdb, err := tasks.Connect(os.Getenv(dispatchRedis))
	if err != nil {
		return err
	}
	credentials, err := openstack.FromEnv(os.Getenv)
	if err != nil {
		return err
	}
	cloud, err := openstack.Connect(ctx, credentials, openstack.Config{RetryTimeout: backup.Duration(time.Minute), MaxRetryInterval: backup.Duration(time.Second), SecretRoles: []string{"admin"}})
	if err != nil {
		return err
	}
	s := scheduler.Scheduler{DB: database, Cloud: cloud, Queue: tasks.NewClient(rdb, zerolog.Nop(), m), Settings: set, Metrics: m}
	for range dispatches {
		b, err := database.BeginRun(ctx, n)
		if err != nil {
			return err
		}
		if err := s.Dispatch(ctx, b); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(outcomes(m))
}

// TestMain runs the tests. With dispatchTerm in its environment, the program is a scheduler that dispatches in that term,
// whether it leads or not.
func TestMain(m *testing.M) {
	if term := os.Getenv(dispatchTerm); term != "" {
		if err := dispatchForced(term); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// outcomes reads the counts of dispatch outcomes from metrics.
func outcomes(m *telemetry.Metrics) map[string]int {
	return sums(m, "staffeln_tasks_dispatched_total", "outcome")
}

// sums returns one metric, summed by the values of one label.
func sums(m *telemetry.Metrics, name, label string) map[string]int {
	sums := map[string]int{}
	families, err := m.Registry.Gather()
	if err != nil {
		panic(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			for _, l := range metric.GetLabel() {
				if l.GetName() == label {
					sums[l.GetValue()] += int(metric.GetCounter().GetValue() + metric.GetGauge().GetValue())
				}
			}
		}
	}
	return sums
}

// tasksPerVolume returns, as one sample at one moment, how many tasks of the queue name each volume.
var tasksPerVolume = redis.NewScript(`
	local most, total, count = 0, 0, {}
	for _, key in ipairs(redis.call('KEYS', 'asynq:{volumes}:t:*')) do
		local volume = string.match(key, 't:volume:([%x-]+)') or key
		count[volume] = (count[volume] or 0) + 1
		total = total + 1
		if count[volume] > most then most = count[volume] end
	end
	return {most, total}`)

// Two scheduler processes dispatch the same 1,000 volumes ten times each, without leadership: in every sample Redis has at
// most one task per volume, every conflict is counted, and each record is handled once.
func TestASingleTaskPerVolume(t *testing.T) {
	t.Parallel()
	w := newEnvironment(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.MaxBackupsInProgress, set.MaxBackupsInProgressPerProject, set.MaxForcedFulls = 0, 0, 0
		o.Backups, o.BackupGigabytes = -1, -1
	})
	w.StopWorker() // so that no task is taken while the two schedulers dispatch
	volumes := cloudsim.Seed(w.Sim, cloudsim.SeedOptions{Projects: 10, Servers: 500, VolumesPerServer: 2, MetadataKey: w.Settings.BackupMetadataKey}).Volumes
	require.Len(t, volumes, 1000)
	w.Plan()

	a, b, samples := w.forceDispatches()
	require.Equal(t, 1000, a["enqueued"]+b["enqueued"], "one process enqueues a volume's task")
	require.Equal(t, 2*dispatches*1000-1000, a["waiting"]+b["waiting"], "every other dispatch run of it is a conflict")
	t.Logf("without a worker: outcomes of the two processes: %v and %v; at most one task per volume in each of %d samples", a, b, samples)

	w.StartWorker()
	a, b, samples = w.forceDispatches()
	t.Logf("beside a worker: outcomes of the two processes: %v and %v; at most one task per volume in each of %d samples", a, b, samples)
	w.Drain()
	requests := map[string]int{}
	for _, e := range w.Sim.Journal() {
		if e.Kind == cloudsim.BackupRequested {
			requests[e.Volume]++
		}
	}
	for _, v := range volumes {
		require.Equal(t, 1, requests[v], "creations for volume %s", v)
	}
	require.Equal(t, 1000, w.Count("state = 'creating' AND attempts = 1 AND backup_id IS NOT NULL"), "each record is handled once")
}

// forceDispatches lets two processes dispatch at once and samples Redis meanwhile: no sample may contain two tasks of one
// volume.
func (w *environment) forceDispatches() (first, second map[string]int, samples int) {
	w.T.Helper()
	ctx, stop := context.WithCancel(w.Ctx)
	sampled := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			got, err := tasksPerVolume.Run(w.Ctx, w.Redis, nil).Int64Slice()
			if err == nil && got[0] > 1 {
				err = fmt.Errorf("sample %d: %d tasks of one volume", samples, got[0])
			}
			if err != nil {
				sampled <- err
				return
			}
			samples++
		}
		sampled <- nil
	}()
	a, b := w.forceDispatch(), w.forceDispatch()
	first, second = a(), b()
	stop()
	require.NoError(w.T, <-sampled)
	require.Positive(w.T, samples)
	return first, second, samples
}

// forceDispatch starts this test program as a scheduler process in the environment's term. The returned function waits for the
// process and returns its outcomes.
func (w *environment) forceDispatch() func() map[string]int {
	w.T.Helper()
	cmd := exec.CommandContext(w.Ctx, os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", dispatchTerm, w.Term), dispatchDatabase+"="+w.URL, dispatchRedis+"="+w.RedisURL,
		"STAFFELN_MAX_BACKUPS_IN_PROGRESS=0", "STAFFELN_MAX_BACKUPS_IN_PROGRESS_PER_PROJECT=0")
	for name, value := range w.Sim.OpenRC(w.CloudURL) {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	require.NoError(w.T, cmd.Start())
	return func() map[string]int {
		w.T.Helper()
		require.NoError(w.T, cmd.Wait(), log.String())
		counts := map[string]int{}
		require.NoError(w.T, json.Unmarshal(out.Bytes(), &counts))
		return counts
	}
}
