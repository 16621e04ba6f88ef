package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit"
	"staffeln/tasks"
)

// If Cinder does not respond, removals are tried less and less often; the queue's own retries are not used.
func TestRemovalsBackOff(t *testing.T) {
	t.Parallel()
	w, volume, _ := withExpired(t, false)
	remove := w.Sim.AddFault(cloudsim.Fault{Route: rig.ListRoute, Project: w.Sim.Project("acme"), Do: cloudsim.Refuse{Status: http.StatusServiceUnavailable}})
	failures := func() (n int) {
		require.NoError(t, w.Pool.QueryRow(w.Ctx, `SELECT removal_failures FROM volumes WHERE id = $1`, volume).Scan(&n))
		return n
	}
	w.RunDue()
	require.Equal(t, 1, failures())
	asked := w.Sim.Counts()[rig.ListRoute]
	w.Dispatch()
	require.Equal(t, asked, w.Sim.Counts()[rig.ListRoute], "no request before the back-off ends")
	w.Advance(10*time.Minute, 30*time.Second)
	require.LessOrEqual(t, failures(), 6, "30 s, 1, 2, 4, 8 minutes")
	require.GreaterOrEqual(t, failures(), 4)
	w.Advance(time.Hour, time.Minute)
	require.LessOrEqual(t, failures(), 14, "and then about every ten minutes")
	require.Equal(t, "available", w.History(volume))
	remove()
	w.Advance(time.Hour, 5*time.Minute)
	require.Equal(t, "deleted", w.History(volume))
	require.Zero(t, failures())
	w.requireInvariants()
}

// The backups of a deleted project are reported once, with what to do, and checked once a day.
func TestProjectGoneIsAFinding(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay, func(set *backup.Settings, _ *cloudsim.Options) {
		set.RetentionServicePeriod = backup.Duration(time.Hour)
	})
	acme := w.Sim.AddProject("acme")
	server, volumes := w.Protect(acme, "web-1", 2)
	w.Advance(2*time.Hour, time.Hour)
	w.Sim.DeleteServer(server)
	w.Sim.DeleteProject(acme)
	w.Advance(3*day+6*time.Hour, 6*time.Hour)
	found := w.findings(backup.ProjectGone)
	require.Len(t, found, 1, "of both volumes")
	require.Equal(t, acme, found[0].Object)
	require.Equal(t, acme, found[0].ProjectID)
	require.Contains(t, found[0].Detail, "staffeln purge-project --project "+acme)
	w.Advance(time.Hour, time.Hour)
	require.Equal(t, 1, w.metric("staffeln_findings", "reason", "project_gone"))
	asked := w.Sim.Counts()["POST /identity/v3/auth/tokens"]
	w.Advance(15*time.Hour, time.Hour)
	require.Equal(t, asked, w.Sim.Counts()["POST /identity/v3/auth/tokens"], "no request before a day is over")
	w.Advance(8*time.Hour, time.Hour)
	require.Greater(t, w.Sim.Counts()["POST /identity/v3/auth/tokens"], asked)
	w.Advance(3*day, time.Hour)
	require.Equal(t, 1, w.logged("error", "not reachable", acme), "logged once")
	require.Len(t, w.findings(backup.ProjectGone), 1)
	for _, v := range volumes {
		require.Equal(t, "available", w.History(v))
	}
	// as with staffeln purge-project
	for _, v := range volumes {
		w.Sim.RemoveBackup(w.LastRecord(v).BackupID)
		w.Exec(`UPDATE records SET state = 'deleted' WHERE volume_id = $1`, v)
	}
	w.Retention()
	require.Empty(t, w.findings(backup.ProjectGone), "nothing of it is left")
	require.Zero(t, w.metric("staffeln_findings", "reason", "project_gone"))
	w.requireInvariants()
}

// A lost role is a finding until the project is accessible again.
func TestProjectWithoutOurRoleIsAFinding(t *testing.T) {
	t.Parallel()
	w, volume, _ := withExpired(t, false)
	acme := w.Sim.Project("acme")
	w.setRole(acme, false)
	w.Advance(6*time.Hour, time.Hour)
	found := w.findings(backup.NoRole)
	require.Len(t, found, 1)
	require.Equal(t, acme, found[0].Object)
	require.Equal(t, 1, w.logged("error", "not reachable", acme))
	w.setRole(acme, true)
	w.RunDue()
	require.Equal(t, "deleting", w.History(volume))
	require.Empty(t, w.findings(backup.NoRole), "at the first run that reaches the project")
	w.Advance(2*time.Hour, 30*time.Minute)
	require.Equal(t, "deleted", w.History(volume))
	w.requireInvariants()
}

// Asynq never runs an active task again whose lease Redis has lost, and the task blocks its volume's task ID. The volume's
// backups continue with another ID.
func TestActiveTaskWithoutALease(t *testing.T) {
	t.Parallel()
	w := daily(t)
	w.StopWorker()
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Plan()
	require.NoError(t, w.Scheduler.Dispatch(w.Ctx, w.BeginRun()))
	// a worker takes the task, and its lease is lost
	id := "volume:" + volumes[0]
	require.NoError(t, w.Redis.RPopLPush(w.Ctx, "asynq:{volumes}:pending", "asynq:{volumes}:active").Err())
	require.NoError(t, w.Redis.HSet(w.Ctx, "asynq:{volumes}:t:"+id, "state", "active").Err())
	w.StartWorker()
	state := func(id string) string { return w.Redis.HGet(w.Ctx, "asynq:{volumes}:t:"+id, "state").Val() }
	w.Step(2 * tasks.LeaseTime)
	require.NoError(t, w.Scheduler.Dispatch(w.Ctx, w.BeginRun()))
	require.Empty(t, state(id+":2"), "a worker may still process it")
	w.Step(time.Second)
	require.NoError(t, w.Scheduler.Dispatch(w.Ctx, w.BeginRun()))
	testkit.Eventually(t, "the backup is requested", time.Minute, func() bool { return w.LastRecord(volumes[0]).BackupID != "" })
	for w.LastRecord(volumes[0]).State != backup.Available {
		require.Less(t, w.Clock.Now().Sub(rig.Noon), time.Hour)
		w.Step(time.Minute)
		require.NoError(t, w.Scheduler.Dispatch(w.Ctx, w.BeginRun()))
		testkit.Eventually(t, "the task with the other ID is over", time.Minute, func() bool { return state(id+":2") == "" })
	}
	require.Equal(t, "active", state(id), "the dead task still exists")
	require.Equal(t, 1, w.Sim.Counts()[rig.CreateRoute])
	w.requireInvariants()
}
