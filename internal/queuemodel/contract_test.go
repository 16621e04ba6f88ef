package queuemodel_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"staffeln/internal/queuemodel"
	"staffeln/tasks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// subject is a queue that must fulfil the contract: the model, or the real one on Redis.
type subject interface {
	// dispatch returns the counts as text, and whether there were errors.
	dispatch(items ...tasks.Item) (counts string, faults bool)
	// state returns the state and kind of a task, or empty strings if there is none.
	state(id string) (queuemodel.State, tasks.Kind)
	// start lets a worker take the only pending task.
	start(id string) run
	lose()
	archive(id string)
	// loseResponse loses the response of the next enqueue, which is carried out or not.
	loseResponse(carriedOut bool)
	// later waits until the queue noticed expired leases, and tasks that waited for a retry are pending.
	later()
}

// run is one run of a handler, which ends as the test wants.
type run interface {
	volume() tasks.VolumeTask
	end(err error)
	giveBack()
	// abandon kills the worker, or disconnects Redis while the handler returns.
	abandon()
	// linger lets the worker lose its task while the handler continues. end is then the late return of the handler.
	linger()
}

var (
	pollR1    = tasks.Item{Kind: tasks.VolumePoll, VolumeID: "v", RecordID: "r1"}
	backupR1  = tasks.Item{Kind: tasks.VolumeBackup, VolumeID: "v", RecordID: "r1"}
	backupR2  = tasks.Item{Kind: tasks.VolumeBackup, VolumeID: "v", RecordID: "r2"}
	retention = tasks.Item{Kind: tasks.VolumeRetention, VolumeID: "v"}
	abandoned = tasks.Item{Kind: tasks.VolumeBackup, VolumeID: "v", RecordID: "r1", Abandoned: true}
)

const id, second, third = "volume:v", "volume:v:2", "volume:v:3"

var errTransient = errors.New("503")

// contract checks the behaviour that the model and the real queue share.
var contract = []struct {
	name string
	hold func(t *testing.T, q subject)
}{
	{"a new task is pending", func(t *testing.T, q subject) {
		dispatches(t, q, "enqueued 1", backupR1)
		has(t, q, id, queuemodel.Pending, tasks.VolumeBackup)
	}},
	{"a pending task is kept, even if another kind is dispatched", func(t *testing.T, q subject) {
		dispatches(t, q, "enqueued 1", retention)
		dispatches(t, q, "waiting 1", retention)
		dispatches(t, q, "waiting 1", pollR1)
		dispatches(t, q, "waiting 1", abandoned)
		has(t, q, id, queuemodel.Pending, tasks.VolumeRetention)
	}},
	{"a run gets the payload, and a task that ended is gone", func(t *testing.T, q subject) {
		dispatches(t, q, "enqueued 1", backupR1)
		r := q.start(id)
		require.Equal(t, tasks.VolumeTask{VolumeID: "v", RecordID: "r1"}, r.volume())
		has(t, q, id, queuemodel.Active, tasks.VolumeBackup)
		r.end(nil)
		has(t, q, id, queuemodel.None, "")
		dispatches(t, q, "enqueued 1", backupR1)
	}},
	{"an active task makes the dispatch wait", func(t *testing.T, q subject) {
		dispatches(t, q, "enqueued 1", backupR1)
		r := q.start(id)
		dispatches(t, q, "waiting 1", pollR1)
		has(t, q, id, queuemodel.Active, tasks.VolumeBackup)
		r.end(nil)
	}},
	{"an abandoned active task is bypassed, at most twice", func(t *testing.T, q subject) {
		dispatches(t, q, "enqueued 1", backupR1)
		runs := []run{q.start(id)}
		for _, next := range []string{second, third} {
			dispatches(t, q, "bypassed 1", abandoned)
			dispatches(t, q, "waiting 1", abandoned)
			has(t, q, next, queuemodel.Pending, tasks.VolumeBackup)
			runs = append(runs, q.start(next))
		}
		dispatches(t, q, "waiting 1", abandoned)
		for _, r := range runs {
			r.end(nil)
		}
		has(t, q, id, queuemodel.None, "")
		has(t, q, third, queuemodel.None, "")
	}},
	{"an error leads to a retry after a delay", func(t *testing.T, q subject) {
		dispatches(t, q, "enqueued 1", backupR1)
		q.start(id).end(errTransient)
		has(t, q, id, queuemodel.Retry, tasks.VolumeBackup)
		dispatches(t, q, "waiting 1", backupR1)
		q.later()
		has(t, q, id, queuemodel.Pending, tasks.VolumeBackup)
		q.start(id).end(nil)
		has(t, q, id, queuemodel.None, "")
	}},
	{"a task that waits for a retry is replaced by another kind", func(t *testing.T, q subject) {
		dispatches(t, q, "enqueued 1", retention)
		q.start(id).end(errTransient)
		dispatches(t, q, "replaced 1", pollR1)
		has(t, q, id, queuemodel.Pending, tasks.VolumePoll)
	}},
	{"a task that waits for a retry is replaced by another record", func(t *testing.T, q subject) {
		dispatches(t, q, "enqueued 1", backupR2)
		q.start(id).end(errTransient)
		dispatches(t, q, "replaced 1", backupR1)
		require.Equal(t, "r1", q.start(id).volume().RecordID)
	}},
	{"a retention task is for the whole volume", func(t *testing.T, q subject) {
		dispatches(t, q, "enqueued 1", retention)
		q.start(id).end(errTransient)
		leftover := retention
		leftover.RecordID = "r1"
		dispatches(t, q, "waiting 1", leftover)
	}},
	{"an archived task is enqueued again", func(t *testing.T, q subject) {
		dispatches(t, q, "enqueued 1", backupR1)
		q.archive(id)
		has(t, q, id, queuemodel.Archived, tasks.VolumeBackup)
		dispatches(t, q, "revived 1", pollR1)
		has(t, q, id, queuemodel.Pending, tasks.VolumePoll)
	}},
	{"a stopped worker's task is due at once", func(t *testing.T, q subject) {
		dispatches(t, q, "enqueued 1", backupR1)
		q.start(id).giveBack()
		q.later()
		has(t, q, id, queuemodel.Pending, tasks.VolumeBackup)
	}},
	{"a dead worker's task holds its ID, then runs again", func(t *testing.T, q subject) {
		dispatches(t, q, "enqueued 1", backupR1)
		q.start(id).abandon()
		dispatches(t, q, "waiting 1", backupR1)
		has(t, q, id, queuemodel.Active, tasks.VolumeBackup)
		q.later()
		has(t, q, id, queuemodel.Pending, tasks.VolumeBackup)
		q.start(id).end(nil)
		has(t, q, id, queuemodel.None, "")
	}},
	{"a handler that continues after its task was lost changes nothing in the queue", func(t *testing.T, q subject) {
		dispatches(t, q, "enqueued 1", backupR1)
		old := q.start(id)
		old.linger()
		q.later()
		again := q.start(id) // concurrently with the old one
		old.end(nil)
		has(t, q, id, queuemodel.Active, tasks.VolumeBackup)
		again.end(nil)
		has(t, q, id, queuemodel.None, "")
	}},
	{"lost data is dispatched again while the old run continues", func(t *testing.T, q subject) {
		dispatches(t, q, "enqueued 1", backupR1)
		old := q.start(id)
		q.lose()
		has(t, q, id, queuemodel.None, "")
		dispatches(t, q, "enqueued 1", pollR1)
		has(t, q, id, queuemodel.Pending, tasks.VolumePoll)
		old.end(nil)
		has(t, q, id, queuemodel.Pending, tasks.VolumePoll)
	}},
	{"after a loss of data the end of the old run ends the task of the new run", func(t *testing.T, q subject) {
		dispatches(t, q, "enqueued 1", backupR1)
		old := q.start(id)
		q.lose()
		dispatches(t, q, "enqueued 1", pollR1)
		again := q.start(id)
		old.end(nil)
		has(t, q, id, queuemodel.None, "")
		dispatches(t, q, "enqueued 1", backupR1)
		again.end(nil)
		has(t, q, id, queuemodel.Pending, tasks.VolumeBackup)
	}},
	{"an enqueue without a response is unknown until the next dispatch run", func(t *testing.T, q subject) {
		q.loseResponse(true)
		fails(t, q, "unknown 1", backupR1)
		dispatches(t, q, "waiting 1", backupR1)
		has(t, q, id, queuemodel.Pending, tasks.VolumeBackup)
		q.lose()
		q.loseResponse(false)
		fails(t, q, "unknown 1", backupR1)
		dispatches(t, q, "enqueued 1", backupR1)
	}},
	{"a kind that is not for volumes is refused", func(t *testing.T, q subject) {
		fails(t, q, "", tasks.Item{Kind: tasks.ReportSend, VolumeID: "v"})
		fails(t, q, "", tasks.Item{Kind: tasks.VolumePoll})
	}},
}

func dispatches(t *testing.T, q subject, want string, items ...tasks.Item) {
	t.Helper()
	counts, faults := q.dispatch(items...)
	require.False(t, faults)
	require.Equal(t, want, counts)
}

func fails(t *testing.T, q subject, want string, items ...tasks.Item) {
	t.Helper()
	counts, faults := q.dispatch(items...)
	require.True(t, faults)
	require.Equal(t, want, counts)
}

func has(t *testing.T, q subject, id string, state queuemodel.State, kind tasks.Kind) {
	t.Helper()
	is, of := q.state(id)
	require.Equal(t, state, is, id)
	require.Equal(t, kind, of, id)
}

func TestContractOnModel(t *testing.T) {
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) { c.hold(t, newModelled()) })
	}
}

// modelled is the model as a subject.
type modelled struct {
	*queuemodel.Queue

	now time.Time
}

func newModelled() *modelled {
	m := &modelled{now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	m.Queue = queuemodel.New(func() time.Time { return m.now }, 30*time.Second)
	return m
}

func (m *modelled) dispatch(items ...tasks.Item) (counts string, faults bool) {
	outcome, err := m.Dispatch(context.Background(), items)
	return outcome.String(), err != nil
}

func (m *modelled) state(id string) (queuemodel.State, tasks.Kind) { return m.Task(id) }
func (m *modelled) lose()                                          { m.Lose() }
func (m *modelled) archive(id string)                              { m.Archive(id) }
func (m *modelled) later()                                         { m.now = m.now.Add(queuemodel.LatestRecovery) }

func (m *modelled) start(id string) run { return modelledRun{m.Start(id)} }

func (m *modelled) loseResponse(carriedOut bool) {
	m.Response = func(context.Context, tasks.Item) (bool, error) {
		m.Response = nil
		return carriedOut, context.DeadlineExceeded
	}
}

type modelledRun struct{ *queuemodel.Run }

func (r modelledRun) volume() tasks.VolumeTask { return r.Volume }
func (r modelledRun) end(err error)            { r.End(err) }
func (r modelledRun) giveBack()                { r.GiveBack() }
func (r modelledRun) abandon()                 { r.Abandon(queuemodel.SoonestRecovery) }
func (r modelledRun) linger()                  { r.Abandon(queuemodel.SoonestRecovery) }
