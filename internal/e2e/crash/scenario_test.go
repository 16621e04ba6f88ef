package crash

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
	"staffeln/openstack"
	"staffeln/scheduler"
	"staffeln/tasks"
	"staffeln/worker"
)

// A crashScenario prepares the state in which the processes start: a few days of a small cloud on a stepped clock. It runs the
// product's own runs and handlers one after the other.
type crashScenario struct {
	*rig.Environment

	recording *recording
	volumes   map[string]string // IDs by name
	servers   map[string]string
	projects  map[string]string
	held      map[string]bool // volumes whose tasks are not executed
	database  string          // each run begins with a copy of it
	asked     time.Time       // time of the newest plan, whose backups are in progress
}

// crashStep is twice the duration of a backup or a removal in Cinder.
const crashStep = time.Minute

func newCrashScenario(t *testing.T) *crashScenario {
	t.Helper()
	w := &rig.Environment{T: t, Clock: testkit.NewClock(rig.Noon), Logs: &rig.Log{}, Settings: rig.Defaults(t)}
	s := &crashScenario{Environment: w, volumes: map[string]string{}, servers: map[string]string{}, projects: map[string]string{}, held: map[string]bool{}}
	w.Settings.MaxBackupsInProgress, w.Settings.MaxBackupsInProgressPerProject, w.Settings.BackupMaxOperations = 80, 20, 0 // so that all kinds of work are in progress at once
	w.Settings.BackupMinInterval = backup.Duration(24 * time.Hour)
	w.Settings.PollPeriod = backup.Duration(time.Second)
	w.Ctx = zerolog.New(w.Logs).Level(zerolog.InfoLevel).WithContext(t.Context())
	s.recording = newRecording(w.Clock.Now, func(now func() time.Time) cloudsim.Options {
		return cloudsim.Options{
			Now: now, Seed: 1, TokenLife: 10000 * time.Hour,
			BackupTime: cloudsim.Fixed(crashStep / 2), DeleteTime: cloudsim.Fixed(crashStep / 2),
		}
	})
	w.Sim = s.recording.sim
	server := httptest.NewServer(s.recording)
	t.Cleanup(server.Close)
	env := w.Sim.OpenRC(server.URL)
	credentials, err := openstack.FromEnv(func(name string) string { return env[name] })
	require.NoError(t, err)
	w.Cloud, err = openstack.Connect(w.Ctx, credentials, openstack.Config{SecretRoles: []string{"admin", "creator"}}, openstack.InTurn())
	require.NoError(t, err)
	w.OpenDatabase()
	installation, err := w.DB.Installation(w.Ctx)
	require.NoError(t, err)
	me, m := backup.Identity{Installation: installation, UserID: w.Cloud.UserID()}, telemetry.NewMetrics()
	w.Scheduler = &scheduler.Scheduler{DB: w.DB, Cloud: w.Cloud, Queue: s, Settings: w.Settings, Metrics: m, Identity: me}
	w.Worker = &worker.Worker{DB: w.DB, Cloud: w.Cloud, Settings: w.Settings, Metrics: m, Identity: me}
	w.Lead()
	return s
}

// Dispatch executes the handlers of the dispatched tasks one after the other, instead of queue and worker.
func (s *crashScenario) Dispatch(ctx context.Context, items []tasks.Item) (tasks.Outcomes, error) {
	for _, item := range items {
		if !s.held[item.VolumeID] {
			_ = s.handle(ctx, item) // a refusal is in the record
		}
	}
	return tasks.Outcomes{tasks.Enqueued: len(items)}, nil
}

// Workers returns 1: the scenario itself executes the tasks.
func (s *crashScenario) Workers(context.Context) (int, error) { return 1, nil }

func (s *crashScenario) handle(ctx context.Context, item tasks.Item) error {
	h := s.Worker.Handlers()
	do := map[tasks.Kind]func(context.Context, tasks.VolumeTask) error{
		tasks.VolumeBackup: h.Backup, tasks.VolumePoll: h.Poll, tasks.VolumeRetention: h.Retention,
	}[item.Kind]
	return do(ctx, tasks.VolumeTask{VolumeID: item.VolumeID, RecordID: item.RecordID})
}

// runRetention runs the retention of one volume.
func (s *crashScenario) runRetention(volume string) {
	s.T.Helper()
	_ = s.handle(s.Ctx, tasks.Item{Kind: tasks.VolumeRetention, VolumeID: s.volumes[volume]})
}

// round runs four dispatches, enough for all backups to end.
func (s *crashScenario) round() {
	s.T.Helper()
	for range 4 { // the caps do not admit all at once
		require.NoError(s.T, s.Scheduler.Dispatch(s.Ctx, s.BeginRun()))
		s.Step(crashStep)
	}
}

// add creates volumes, each with its own server that asks for backups.
func (s *crashScenario) add(project, retention string, names ...string) {
	s.T.Helper()
	if s.projects[project] == "" {
		s.projects[project] = s.recording.create(func(sim *cloudsim.Cloud) string { return sim.AddProject(project) })
	}
	meta := map[string]string{s.Settings.BackupMetadataKey: "true"}
	if retention != "" {
		meta[s.Settings.RetentionMetadataKey] = retention
	}
	for _, name := range names {
		options := cloudsim.VolumeOptions{Encrypted: name == "encrypted" || name == "secretless"}
		server := s.recording.create(func(sim *cloudsim.Cloud) string { return sim.AddServer(s.projects[project], name, meta) })
		volume := s.recording.create(func(sim *cloudsim.Cloud) string { return sim.AddVolume(s.projects[project], name, 1, options) })
		s.recording.change(func(sim *cloudsim.Cloud) { sim.Attach(server, volume) })
		s.servers[name], s.volumes[name] = server, volume
	}
}

// addFault adds a fault for requests about a volume, or for the list of its backups.
func (s *crashScenario) addFault(route, volume string, times int, do cloudsim.Effect) {
	id := s.volumes[volume]
	about := func(r cloudsim.Request) bool { return r.Volume == id || r.Query.Get("volume_id") == id }
	s.recording.change(func(sim *cloudsim.Cloud) {
		sim.AddFault(cloudsim.Fault{Route: route, Match: about, Times: times, Do: do})
	})
}

// newest returns the ID of the newest backup of a volume.
func (s *crashScenario) newest(volume string) string {
	s.T.Helper()
	all := s.Sim.BackupsOf(s.volumes[volume])
	require.NotEmpty(s.T, all, volume)
	return all[len(all)-1].ID
}

// closeForCopies prepares the database for copies: its clock runs from now on, and its connections are closed.
func (s *crashScenario) closeForCopies() {
	for _, q := range []string{
		`CREATE TABLE test_ahead (by interval NOT NULL)`,
		`INSERT INTO test_ahead SELECT at - clock_timestamp() FROM test_clock`,
		`CREATE OR REPLACE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp() + by FROM test_ahead'`,
		`UPDATE leadership SET planned_at = NULL, dispatched_at = NULL, retention_at = NULL, reconciled_at = NULL`,
	} {
		s.Exec(q)
	}
	config, err := pgx.ParseConfig(s.URL)
	require.NoError(s.T, err)
	s.database = config.Database
	s.DB.Close()
	s.Pool.Close()
}

// errorResponse returns a response of Cinder with that status and message.
func errorResponse(status int, words string) cloudsim.Refuse {
	return cloudsim.Refuse{Status: status, Body: `{"fault": {"code": ` + strconv.Itoa(status) + `, "message": "` + words + `"}}`, Header: http.Header{"Content-Type": {"application/json"}}}
}

// requireRecord asserts that a volume has a record in this state.
func (s *crashScenario) requireRecord(volume string, state backup.State) {
	s.T.Helper()
	require.NotEmpty(s.T, s.Records("volume_id = $1 AND state = $2", s.volumes[volume], state), "%s: want %s, have %s", volume, state, s.History(s.volumes[volume]))
}

// databaseURL returns the URL of another database on the same server.
func (s *crashScenario) databaseURL(name string) string {
	return strings.Replace(s.URL, "/"+s.database, "/"+name, 1)
}

// enqueueStale adds two rare tasks to an empty queue: one whose kind of work its volume does not need now, and one in
// state active that no worker executes.
func (s *crashScenario) enqueueStale(ctx context.Context, rdb redis.UniversalClient) error {
	client := asynq.NewClientFromRedisClient(rdb)
	text := func(volume string) []byte { return []byte(`{"volume_id":"` + s.volumes[volume] + `"}`) }
	id := func(volume string) asynq.Option { return asynq.TaskID("volume:" + s.volumes[volume]) }
	queue := asynq.Queue(tasks.Volumes)
	_, err := client.EnqueueContext(ctx, asynq.NewTask(string(tasks.VolumeRetention), text("incremental")), id("incremental"), queue, asynq.ProcessIn(time.Hour))
	if err != nil {
		return err
	}
	if _, err := client.EnqueueContext(ctx, asynq.NewTask(string(tasks.VolumeRetention), text("chain")), id("chain"), queue); err != nil {
		return err
	}
	if err := rdb.LMove(ctx, "asynq:{volumes}:pending", "asynq:{volumes}:active", "RIGHT", "LEFT").Err(); err != nil {
		return err
	}
	return rdb.HSet(ctx, "asynq:{volumes}:t:volume:"+s.volumes["chain"], "state", "active").Err()
}
