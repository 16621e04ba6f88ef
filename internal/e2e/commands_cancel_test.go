package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/tasks"
)

// A planned backup is withdrawn, without a request to Cinder.
func TestCancelPlanned(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Plan()
	require.Equal(t, "planned", w.History(volumes[0]))
	w.runWithInput(0, "", "cancel", volumes[0]) // so nothing is removed, and there is no question
	require.Equal(t, "withdrawn:cancelled", w.History(volumes[0]))
	w.finishBackups()
	require.Zero(t, w.Sim.Counts()[rig.CreateRoute])
	require.Contains(t, oneLine(w.run(1, "cancel", volumes[0])), "Nothing to cancel:")
	require.Equal(t, []string{"cancel: the record is withdrawn now (cancelled)"}, w.lastAudits(10))
	w.Advance(time.Hour, 10*time.Minute)
	require.Equal(t, "withdrawn:cancelled available", w.History(volumes[0]), "a later plan makes another one")
	w.requireInvariants()
}

// A backup that Cinder is creating is recorded as failed. Its backup is removed, and nothing else.
func TestCancelCreating(t *testing.T) {
	for name, before := range map[string]int{"full": 0, "incremental": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := daily(t, func(_ *backup.Settings, o *cloudsim.Options) { o.BackupTime = cloudsim.Fixed(5 * time.Minute) })
			_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
			w.Advance(time.Duration(before)*day, 30*time.Minute)
			w.RunDue()
			require.Equal(t, backup.Creating, w.LastRecord(volumes[0]).State)
			cancelled := w.LastRecord(volumes[0]).BackupID
			w.runWithInput(0, "yes\n", "cancel", volumes[0])
			r := w.LastRecord(volumes[0])
			require.Equal(t, backup.Failed, r.State)
			require.Equal(t, backup.Cancelled, r.Reason)
			require.Equal(t, "by ann@desk", r.ReasonText)
			w.finishBackups()
			require.Empty(t, w.events(cloudsim.BackupDeletion, ""), "Cinder is still making it")
			w.Advance(15*time.Minute, time.Minute)
			require.Equal(t, backup.Deleted, w.RecordsOf(volumes[0])[before].State, "Cinder completed it, and it was removed")
			require.Equal(t, backup.FailedLeftover, w.RecordsOf(volumes[0])[before].RemovalReason)
			require.Len(t, w.events(cloudsim.BackupDeletion, ""), 1)
			require.Equal(t, cancelled, w.events(cloudsim.BackupDeletion, "")[0].Backup)
			w.Advance(3*time.Hour, 15*time.Minute)
			require.Equal(t, map[int]string{0: "F", 1: "FI"}[before], w.Kinds(volumes[0]), "the chain continues")
			require.Equal(t, backup.Available, w.LastRecord(volumes[0]).State)
			for _, b := range w.Sim.BackupsOf(volumes[0]) {
				require.True(t, b.Restorable)
			}
			require.Equal(t, []string{"cancel: the record is failed now (cancelled)"}, w.lastAudits(10))
			w.requireInvariants()
		})
	}
}

// Without a "yes" nothing changes.
func TestCancelWithoutConfirmationChangesNothing(t *testing.T) {
	t.Parallel()
	w := daily(t, func(_ *backup.Settings, o *cloudsim.Options) { o.BackupTime = cloudsim.Fixed(20 * time.Minute) })
	server, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 2)
	w.RunDue()
	for _, input := range []string{"no\n", "", "\n", "yes, but\n", "n\nyes\n"} {
		out := w.runWithInput(1, input, "cancel", volumes[0])
		require.Contains(t, oneLine(out), "not confirmed: nothing is removed; type yes, or use --yes")
	}
	require.Equal(t, 2, w.Count("state = 'creating'"))
	require.Empty(t, w.lastAudits(10))
	out := w.runWithInput(0, "yes\ny\n", "cancel", server) // one record after the other
	require.Equal(t, 2, w.Count("state = 'failed' AND reason = 'cancelled'"), out)
	w.Advance(time.Hour, 10*time.Minute)
	require.Equal(t, 2, w.Count("state = 'deleted'"))
	w.requireInvariants()
}

// A request without a response cannot be cancelled: nobody knows whether Cinder creates a backup.
func TestCancelWithoutAResponseIsRefused(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 1, Do: cloudsim.DropBefore{}})
	w.RunDue()
	require.Contains(t, oneLine(w.run(1, "cancel", volumes[0])), "Not yet: Cinder was asked for the backup")
	require.Equal(t, backup.Creating, w.LastRecord(volumes[0]).State)
	require.Empty(t, w.lastAudits(1))
	w.Advance(15*time.Minute, time.Minute)
	require.Equal(t, "available", w.History(volumes[0]))
	w.requireInvariants()
}

// Cancel waits for a worker that has the volume's lease, and reports it if that takes too long.
func TestCancelWaitsForTheWorker(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Plan()
	held, err := w.DB.Lease(w.Ctx, volumes[0], "test", tasks.LeaseTime)
	require.NoError(t, err)
	out := w.run(1, "cancel", volumes[0])
	require.Contains(t, oneLine(out), "a worker has its lease: try again")
	require.Equal(t, "planned", w.History(volumes[0]))
	require.Regexp(t, `^cancel: error: lease volume data \(\S+\): a worker has its lease`, w.lastAudits(1)[0])

	waiting := w.startCommand("", "cancel", volumes[0])
	w.eventually("it waits for the worker", func() bool { return len(w.lastAudits(10)) == 2 })
	require.NoError(t, held.Release(w.Ctx))
	out, code := waiting.wait()
	require.Zero(t, code, out)
	require.Equal(t, "withdrawn:cancelled", w.History(volumes[0]))
	w.requireInvariants()
}

// Cancel only ends what the question was about: if a worker sends a request meanwhile, the record must not end without the
// backup's ID.
func TestCancelOfAChangedRecordIsRefused(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	remove := w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Do: cloudsim.Refuse{Status: 429}})
	w.RunDue()
	remove()
	require.Equal(t, 1, w.Count("state = 'creating' AND unanswered_request_at IS NULL"), "refused for now, not asked")

	held, err := w.DB.Lease(w.Ctx, volumes[0], "test", tasks.LeaseTime)
	require.NoError(t, err)
	waiting := w.startCommand("", "cancel", volumes[0])
	w.eventually("it waits for the worker", func() bool { return len(w.lastAudits(10)) == 1 })
	records, err := held.Records(w.Ctx)
	require.NoError(t, err)
	_, err = held.StartCreation(w.Ctx, records[0], backup.Full, "name", time.Hour)
	require.NoError(t, err)
	require.NoError(t, held.Release(w.Ctx))
	out, code := waiting.wait()
	require.Equal(t, 1, code, out)
	require.Contains(t, oneLine(out), "its record has changed: check `staffeln explain` and try again")
	require.Equal(t, "creating", w.History(volumes[0]))
	w.Advance(time.Hour, time.Minute)
	require.Equal(t, "available", w.History(volumes[0]))
	w.requireInvariants()
}
