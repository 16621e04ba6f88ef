package e2e

import (
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/cloudsim"
	"staffeln/internal/telemetry"
	"staffeln/tasks"
)

// state is one state of the whole system. make brings an environment with one protected volume into it; mark is a code or
// word that every column must not miss: the table has it for status, explain, doctor and metrics.
type state struct {
	name string
	with func(*backup.Settings, *cloudsim.Options)
	make func(*stateEnvironment)
	want shown
	asIs bool // nothing runs after make; otherwise one dispatch does, and all runs count as in time
}

// shown is the least that each view must show: codes, each of which is in the view's list. Empty: nothing is asked for.
type shown struct{ status, explain, doctor, metric string }

// stateEnvironment is an environment with one server of one volume.
type stateEnvironment struct {
	*environment

	project, server, volume string
	leading                 *db.Leadership
}

// backedUp gives the volume its first restore point.
func (s *stateEnvironment) backedUp() {
	s.RunDue()
	s.Step(s.Settings.BackupServicePeriod.Std())
	s.Dispatch()
	s.Dispatch() // counts the records that the first one changed
	s.Plan()
}

// pastInterval makes the next backup due.
func (s *stateEnvironment) pastInterval() {
	s.Step(s.Settings.BackupMinInterval.Std() + s.Settings.BackupServicePeriod.Std())
}

func (s *stateEnvironment) pause(project string) {
	s.T.Helper()
	require.NoError(s.T, s.DB.RecordOperatorAction(s.Ctx, db.OperatorAction{Who: "ann", Action: db.ActionPause}, func() (string, error) {
		_, err := s.DB.Pause(s.Ctx, db.Pause{ProjectID: project, Who: "ann", Why: "upgrade"})
		return "", err
	}))
}

// fault makes requests of a method whose path contains a text fail with a status.
func (s *stateEnvironment) fault(method, path string, status int) {
	s.Sim.AddFault(cloudsim.Fault{Match: func(q cloudsim.Request) bool {
		return (method == "" || q.Method == method) && strings.Contains(q.Path, path)
	}, Do: cloudsim.Refuse{Status: status}})
}

// dispatchFailing runs a dispatch that cannot enqueue.
func (s *stateEnvironment) dispatchFailing() {
	s.T.Helper()
	require.Error(s.T, s.Scheduler.Dispatch(s.Ctx, s.BeginRun()))
}

// loseQueue takes the scheduler's queue away.
func (s *stateEnvironment) loseQueue() {
	lost, err := tasks.Connect(s.RedisURL)
	require.NoError(s.T, err)
	require.NoError(s.T, lost.Close())
	s.Scheduler.Queue = tasks.NewClient(lost, zerolog.Nop(), telemetry.NewMetrics())
}

func slow(_ *backup.Settings, o *cloudsim.Options) { o.BackupTime = cloudsim.Fixed(30 * time.Minute) }

func capOf(change func(*backup.Settings)) func(*backup.Settings, *cloudsim.Options) {
	return func(set *backup.Settings, o *cloudsim.Options) { slow(set, o); change(set) }
}

// second adds a server with a volume to a project and plans it, while the first volume's backup is in progress.
func (s *stateEnvironment) second(project string) {
	s.RunDue()
	_, volumes := s.Protect(project, "web-2", 1)
	s.Step(s.Settings.BackupServicePeriod.Std() / 4)
	s.Plan()
	s.Dispatch()
	s.volume = volumes[0]
}
