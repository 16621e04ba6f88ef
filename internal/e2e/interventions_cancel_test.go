package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/tasks"
)

// A planned backup is withdrawn; Cinder never hears of it.
func TestCancelPlanned(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
	w.plan()
	require.Equal(t, "planned", w.story(volumes[0]))
	w.answered(0, "", "cancel", volumes[0]) // nothing is removed, nothing is asked
	require.Equal(t, "withdrawn:cancelled", w.story(volumes[0]))
	w.finished()
	require.Zero(t, w.sim.Counts()[createRoute])
	require.Contains(t, flat(w.hand(1, "cancel", volumes[0])), "Nothing to cancel:")
	require.Equal(t, []string{"cancel: the record is withdrawn now (cancelled)"}, w.audited(10))
	w.run(time.Hour, 10*time.Minute)
	require.Equal(t, "withdrawn:cancelled available", w.story(volumes[0]), "a later plan makes another one")
	w.lawful()
}

// What Cinder is making ends as failed; what becomes of it goes, and nothing
// else does.
func TestCancelCreating(t *testing.T) {
	for name, before := range map[string]int{"full": 0, "incremental": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := daily(t, func(_ *backup.Settings, o *cloudsim.Options) { o.BackupTime = cloudsim.Fixed(5 * time.Minute) })
			_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
			w.run(time.Duration(before)*day, 30*time.Minute)
			w.beats()
			require.Equal(t, backup.Creating, w.last(volumes[0]).State)
			cancelled := w.last(volumes[0]).BackupID
			w.answered(0, "yes\n", "cancel", volumes[0])
			r := w.last(volumes[0])
			require.Equal(t, backup.Failed, r.State)
			require.Equal(t, backup.Cancelled, r.Reason)
			require.Equal(t, "by ann@desk", r.ReasonText)
			w.finished()
			require.Empty(t, w.events(cloudsim.BackupDeletion, ""), "Cinder is still making it")
			w.run(15*time.Minute, time.Minute)
			require.Equal(t, backup.Deleted, w.of(volumes[0])[before].State, "Cinder made it after all, and it went")
			require.Equal(t, backup.FailedLeftover, w.of(volumes[0])[before].RemovalReason)
			require.Len(t, w.events(cloudsim.BackupDeletion, ""), 1)
			require.Equal(t, cancelled, w.events(cloudsim.BackupDeletion, "")[0].Backup)
			w.run(3*time.Hour, 15*time.Minute)
			require.Equal(t, map[int]string{0: "F", 1: "FI"}[before], w.kinds(volumes[0]), "the chain goes on")
			require.Equal(t, backup.Available, w.last(volumes[0]).State)
			for _, b := range w.sim.BackupsOf(volumes[0]) {
				require.True(t, b.Restorable)
			}
			require.Equal(t, []string{"cancel: the record is failed now (cancelled)"}, w.audited(10))
			w.lawful()
		})
	}
}

// Whoever does not say yes changed nothing.
func TestCancelAsks(t *testing.T) {
	t.Parallel()
	w := daily(t, func(_ *backup.Settings, o *cloudsim.Options) { o.BackupTime = cloudsim.Fixed(20 * time.Minute) })
	server, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 2)
	w.beats()
	for _, answer := range []string{"no\n", "", "\n", "yes, but\n", "n\nyes\n"} {
		out := w.answered(1, answer, "cancel", volumes[0])
		require.Contains(t, flat(out), "not confirmed: nothing is removed; answer yes, or give --yes")
	}
	require.Equal(t, 2, w.count("state = 'creating'"))
	require.Empty(t, w.audited(10))
	out := w.answered(0, "yes\ny\n", "cancel", server) // one after the other
	require.Equal(t, 2, w.count("state = 'failed' AND reason = 'cancelled'"), out)
	w.run(time.Hour, 10*time.Minute)
	require.Equal(t, 2, w.count("state = 'deleted'"))
	w.lawful()
}

// While nobody knows whether Cinder makes one, there is nothing to end.
func TestCancelWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
	w.sim.AddFault(cloudsim.Fault{Route: createRoute, Times: 1, Do: cloudsim.DropBefore{}})
	w.beats()
	require.Contains(t, flat(w.hand(1, "cancel", volumes[0])), "Not yet: Cinder was asked for the backup")
	require.Equal(t, backup.Creating, w.last(volumes[0]).State)
	require.Empty(t, w.audited(1))
	w.run(15*time.Minute, time.Minute)
	require.Equal(t, "available", w.story(volumes[0]))
	w.lawful()
}

// A worker that is at work on the volume is waited for, and told of where it
// goes on for too long.
func TestCancelWaitsForTheWorker(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
	w.plan()
	held, err := w.db.Lease(w.ctx, volumes[0], "test", tasks.Lease)
	require.NoError(t, err)
	out := w.hand(1, "cancel", volumes[0])
	require.Contains(t, flat(out), "a worker is at work on it: try again")
	require.Equal(t, "planned", w.story(volumes[0]))
	require.Regexp(t, `^cancel: error: lease volume \S+: a worker is at work`, w.audited(1)[0])

	waiting := w.begin("", "cancel", volumes[0])
	w.eventually("it waits for the worker", func() bool { return len(w.audited(10)) == 2 })
	require.NoError(t, held.Release(w.ctx))
	out, code := waiting.end()
	require.Zero(t, code, out)
	require.Equal(t, "withdrawn:cancelled", w.story(volumes[0]))
	w.lawful()
}

// What the person was asked about is what ends: a request that a worker sent
// while they thought must not end without the ID of what it makes.
func TestCancelOfWhatMovedOn(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
	remove := w.sim.AddFault(cloudsim.Fault{Route: createRoute, Do: cloudsim.Refuse{Status: 429}})
	w.beats()
	remove()
	require.Equal(t, 1, w.count("state = 'creating' AND unanswered_request_at IS NULL"), "refused for now, not asked")

	held, err := w.db.Lease(w.ctx, volumes[0], "test", tasks.Lease)
	require.NoError(t, err)
	waiting := w.begin("", "cancel", volumes[0])
	w.eventually("it waits for the worker", func() bool { return len(w.audited(10)) == 1 })
	records, err := held.Records(w.ctx)
	require.NoError(t, err)
	_, err = held.Ask(w.ctx, records[0], backup.Full, "name", time.Hour)
	require.NoError(t, err)
	require.NoError(t, held.Release(w.ctx))
	out, code := waiting.end()
	require.Equal(t, 1, code, out)
	require.Contains(t, flat(out), "it moved on meanwhile: look at `staffeln explain`, and try again")
	require.Equal(t, "creating", w.story(volumes[0]))
	w.run(time.Hour, time.Minute)
	require.Equal(t, "available", w.story(volumes[0]))
	w.lawful()
}
