package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// requests counts the creations and deletions of a project's backups that Cinder accepted.
func (w *environment) requests(projectID string) (creations, deletions int) {
	for _, e := range w.Sim.Journal() {
		switch {
		case e.Project != projectID:
		case e.Kind == cloudsim.BackupRequested:
			creations++
		case e.Kind == cloudsim.BackupDeletion || e.Kind == cloudsim.BackupForceDeletion:
			deletions++
		}
	}
	return creations, deletions
}

// During a pause no backup and no removal of the project begins; those in progress are polled, and other projects continue.
// After the end of the pause, what is due begins.
func TestPause(t *testing.T) {
	for name, all := range map[string]bool{"of all": true, "of a project": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := daily(t, fourPlansADay, func(set *backup.Settings, o *cloudsim.Options) {
				set.FullBackupDepth, set.MinRestorePoints = 0, 0
				o.BackupTime, o.DeleteTime = cloudsim.Fixed(10*time.Minute), cloudsim.Fixed(20*time.Minute)
			})
			acme, globex := w.Sim.AddProject("acme"), w.Sim.AddProject("globex")
			server, removed := w.Protect(acme, "old-1", 1)
			_, volumes := w.Protect(acme, "web-1", 1)
			w.Protect(globex, "web-2", 1)
			w.Advance(4*day-6*time.Hour, 30*time.Minute)
			w.Sim.DeleteServer(server)
			w.Advance(6*time.Hour, 30*time.Minute)
			w.RunDue() // one backup is being created, and one of another volume is being deleted
			require.Equal(t, 2, w.Count("state = 'creating'"))
			require.Equal(t, backup.Deleting, w.deletingOf(removed[0]), w.History(removed[0]))

			args := []string{"pause", "--why", "upgrade of Cinder"}
			if !all {
				args = append(args, "--project", "acme")
			}
			out := oneLine(w.run(0, args...))
			require.Contains(t, out, "by ann@desk (upgrade of Cinder). Nothing new starts before `staffeln resume")
			require.Regexp(t, `[2-6] backups and removals are in progress there`, out)
			made, went := w.requests(acme)
			theirs, _ := w.requests(globex)

			w.Advance(5*day, 30*time.Minute)
			m, d := w.requests(acme)
			require.Equal(t, []int{made, went}, []int{m, d}, "nothing began in acme")
			require.Zero(t, w.Count("state IN ('planned', 'creating', 'deleting') AND project_id = $1", acme), "what was in progress was polled to its end")
			require.Equal(t, backup.Available, w.LastRecord(volumes[0]).State)
			require.NotZero(t, w.Count("volume_id = $1 AND state = 'deleted'", removed[0]))
			now, _ := w.requests(globex)
			require.Equal(t, map[bool]int{true: 0, false: 4}[all], now-theirs, "the other project")
			require.Contains(t, oneLine(w.terminal(0, "status")), "PAUSE: Paused: "+map[bool]string{true: "all projects", false: "project acme"}[all])
			require.Contains(t, oneLine(w.terminal(0, "explain", volumes[0])), "paused")

			require.Contains(t, oneLine(w.run(2, "resume", "--project", "umbrella")), "no volume or backup of such a project is known")
			again := map[bool][]string{true: {"resume"}, false: {"resume", "--project", acme}}[all]
			require.Contains(t, oneLine(w.run(0, again...)), "Resumed: ")
			require.Contains(t, oneLine(w.run(0, again...)), "Nothing to resume: ")
			w.Advance(day, 30*time.Minute)
			m, d = w.requests(acme)
			require.Greater(t, m, made)
			require.Greater(t, d, went)
			require.Equal(t, []string{"pause: paused", "resume: resumed", "resume: was not paused"}, w.lastAudits(10))
			w.requireInvariants()
		})
	}
}

// deletingOf returns the state of the volume's record whose backup is being deleted.
func (w *environment) deletingOf(volumeID string) backup.State {
	for _, r := range w.RecordsOf(volumeID) {
		if r.State == backup.Deleting {
			return r.State
		}
	}
	return ""
}

// After a pause, everything that is due begins within the caps, and the volume with the oldest restore point is first.
func TestResumeBeginsUnderTheCaps(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.MaxBackupsInProgress, set.MaxBackupsInProgressPerProject = 2, 0
		o.BackupTime = cloudsim.Fixed(10 * time.Minute)
	})
	acme := w.Sim.AddProject("acme")
	var volumes []string
	for range 5 { // one hour apart
		_, one := w.Protect(acme, "web", 1)
		volumes = append(volumes, one...)
		w.Advance(time.Hour, 15*time.Minute)
	}
	w.run(0, "pause")
	w.Advance(3*day, 6*time.Hour)
	require.Equal(t, 5, w.Count("true"))
	w.run(0, "resume")
	seen := len(w.events(cloudsim.BackupRequested, ""))
	for range 50 {
		w.RunDue()
		require.LessOrEqual(t, w.Count("state = 'creating'"), 2)
		w.Step(time.Minute)
	}
	var order []string
	for _, e := range w.events(cloudsim.BackupRequested, "")[seen:] {
		order = append(order, e.Volume)
	}
	require.Len(t, order, 5)
	require.ElementsMatch(t, volumes[:2], order[:2])
	require.ElementsMatch(t, volumes[2:4], order[2:4])
	require.Equal(t, volumes[4], order[4])
	w.requireInvariants()
}

// A task that was in the queue before the pause starts nothing, and is dispatched again after it.
func TestPauseStopsQueuedTasks(t *testing.T) {
	t.Parallel()
	w, expiredVolume, _ := withExpired(t, false)
	acme := w.LastRecord(expiredVolume).ProjectID
	_, volumes := w.Protect(acme, "web-2", 1)
	w.StopWorker() // so that the tasks remain in the queue
	w.Plan()
	w.Retention()
	require.NoError(t, w.Scheduler.Dispatch(w.Ctx, w.BeginRun()))
	waiting, err := w.Redis.LLen(w.Ctx, "asynq:{volumes}:pending").Result()
	require.NoError(t, err)
	require.Equal(t, int64(2), waiting)
	w.run(0, "pause")
	made, went := w.requests(acme)
	w.StartWorker()
	w.Drain()
	w.Advance(day, 6*time.Hour)
	m, d := w.requests(acme)
	require.Equal(t, []int{made, went}, []int{m, d})
	require.Equal(t, "available", w.History(expiredVolume))
	require.Equal(t, "planned", w.History(volumes[0]))
	w.run(0, "resume")
	w.Advance(2*time.Hour, 15*time.Minute)
	require.Equal(t, "deleted", w.History(expiredVolume))
	require.Equal(t, "available", w.History(volumes[0]))
	w.requireInvariants()
}

// During a pause, a leftover that somebody else removed is not reported, and the removals in progress are still polled.
func TestPausePollsRemovalsBesideALeftover(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay, func(set *backup.Settings, _ *cloudsim.Options) { set.FullBackupDepth, set.MinRestorePoints = 0, 0 })
	server, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(3*day-time.Hour, time.Hour)
	w.Sim.DeleteServer(server)
	w.Step(5 * day)
	for range 3 {
		w.RunDue()
	}
	require.Equal(t, "deleting deleting deleting", w.History(volumes[0]))
	w.run(0, "pause")
	leftover := w.RecordsOf(volumes[0])[0]
	w.Exec(`UPDATE records SET state = 'failed', reason = 'backup_error', available_at = NULL WHERE id = $1`, leftover.ID)
	w.Sim.RemoveBackup(leftover.BackupID)
	w.Step(time.Hour)
	w.Dispatch()
	require.Equal(t, "failed:backup_error deleted deleted", w.History(volumes[0]))
	w.run(0, "resume")
	w.Dispatch()
	require.Equal(t, "deleted deleted deleted", w.History(volumes[0]))
	w.requireInvariants()
}
