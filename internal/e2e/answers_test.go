package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

const (
	createRoute = "POST /volume/v3/{project}/backups"
	deleteRoute = "DELETE /volume/v3/{project}/backups/{backup}"
	readRoute   = "GET /volume/v3/{project}/backups/{backup}"
	listRoute   = "GET /volume/v3/{project}/backups/detail"
	actionRoute = "POST /volume/v3/{project}/backups/{backup}/action"
)

// daily is a world whose volumes are backed up once a day, so that an hour of
// trouble is one backup's trouble.
func daily(t *testing.T, changes ...func(*backup.Settings, *cloudsim.Options)) *world {
	t.Helper()
	return newWorld(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.BackupMinInterval = backup.Duration(24 * time.Hour)
		o.BackupTime = cloudsim.Fixed(30 * time.Second)
		for _, change := range changes {
			change(set, o)
		}
	})
}

// An answer that is lost after its effect is no reason to ask again: the tag
// finds the backup.
func TestLostAnswerIsAdopted(t *testing.T) {
	for name, effect := range map[string]cloudsim.Effect{
		"no answer": cloudsim.DropAfterEffect{}, "garbage": cloudsim.GarbageBody{}, "half an answer": cloudsim.HalfBody{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := daily(t)
			_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
			w.sim.AddFault(cloudsim.Fault{Route: createRoute, Times: 1, Do: effect})
			w.beats()
			r := w.last(volumes[0])
			require.Equal(t, backup.Creating, r.State)
			require.Equal(t, backup.AnswerUnknown, r.Reason)
			require.Empty(t, r.BackupID)
			w.step(time.Minute)
			w.dispatch()
			require.Equal(t, w.sim.BackupsOf(volumes[0])[0].ID, w.last(volumes[0]).BackupID, "adopted at the next look")
			w.step(time.Minute)
			w.dispatch()
			require.Equal(t, "available", w.story(volumes[0]))
			w.run(time.Hour, 5*time.Minute)
			require.Equal(t, 1, w.sim.Counts()[createRoute])
			require.Len(t, w.sim.BackupsOf(volumes[0]), 1)
			w.lawful()
		})
	}
}

// A request that was never carried out is repeated, but not before the settle
// time is over.
func TestUnansweredRequestIsRepeatedAfterSettling(t *testing.T) {
	for name, effect := range map[string]cloudsim.Effect{
		"no answer": cloudsim.DropBefore{}, "503": cloudsim.Refuse{Status: http.StatusServiceUnavailable},
		"gateway": cloudsim.Refuse{Status: http.StatusBadGateway, Body: "<html>bad gateway</html>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := daily(t)
			_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
			remove := w.sim.AddFault(cloudsim.Fault{Route: createRoute, Do: effect})
			w.beats()
			remove()
			settled := w.clock.Now().Add(w.set.PostSettleTime.Std())
			for w.step(time.Minute); w.clock.Now().Before(settled); w.step(time.Minute) {
				w.dispatch()
				require.Equal(t, 1, w.sim.Counts()[createRoute], "asked again at %s, before %s", w.clock.Now(), settled)
				require.Equal(t, backup.AnswerUnknown, w.last(volumes[0]).Reason)
			}
			w.dispatch()
			require.Equal(t, 2, w.sim.Counts()[createRoute], "asked again when the settle time is over")
			w.step(time.Minute)
			w.dispatch()
			require.Equal(t, "available", w.story(volumes[0]))
			require.Len(t, w.sim.BackupsOf(volumes[0]), 1)
			require.Equal(t, 2, w.last(volumes[0]).Attempts)
			w.lawful()
		})
	}
}

// A broker that comes back carries out what it was asked minutes ago: within
// the settle time that is the record's backup.
func TestLateEffectWithinSettling(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
	w.sim.AddFault(cloudsim.Fault{Route: createRoute, Times: 1, Do: cloudsim.ExecuteLater{After: 8 * time.Minute}})
	w.run(20*time.Minute, time.Minute)
	require.Equal(t, "available", w.story(volumes[0]))
	require.Equal(t, 1, w.sim.Counts()[createRoute])
	require.Len(t, w.sim.BackupsOf(volumes[0]), 1)
	w.lawful()
}

// What Cinder carries out even later is a second backup of one request: it gets
// a record of its own, and is kept and removed like any other.
func TestLateEffectAfterSettlingIsATwin(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) { set.RetentionTime = backup.Period{Days: 2} })
	server, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
	w.sim.AddFault(cloudsim.Fault{Route: createRoute, Times: 1, Do: cloudsim.ExecuteLater{After: time.Hour}})
	w.run(2*time.Hour, 5*time.Minute)
	require.Equal(t, "FF", w.kinds(volumes[0]))
	require.Equal(t, "available", w.story(volumes[0]), "before the sweep")
	w.sweep()
	require.Equal(t, "available available", w.story(volumes[0]))
	require.Equal(t, 1, w.count("reason = 'twin_backup'"))
	require.Equal(t, 1, w.logged("warn", "second backup of one request"))
	w.sweep()
	require.Equal(t, 2, w.count("true"), "a second sweep finds nothing new")
	w.lawful()

	w.sim.DeleteServer(server) // no floor any more
	w.run(3*24*time.Hour, time.Hour)
	require.Empty(t, w.sim.BackupsOf(volumes[0]), "the twin goes with its retention")
	w.lawful()
}

// One that came too late and failed is a leftover of ours, and goes as such.
func TestLateEffectThatFailsIsALeftover(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
	w.sim.AddFault(cloudsim.Fault{Route: createRoute, Times: 1, Do: cloudsim.ExecuteLater{After: time.Hour}})
	w.sim.AddFault(cloudsim.Fault{Route: createRoute, Times: 1, Do: cloudsim.FailLater{Reason: "no space left"}})
	w.run(2*time.Hour, 5*time.Minute)
	require.Len(t, w.sim.BackupsOf(volumes[0]), 2)
	w.sweep()
	require.Equal(t, 1, w.count("reason = 'twin_backup' AND state = 'failed' AND reason_text = 'no space left'"))
	w.run(time.Hour, 5*time.Minute)
	require.Equal(t, "F", w.kinds(volumes[0]))
	w.lawful()
}

// A cloud that says when to come back is obeyed.
func TestThrottled(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
	remove := w.sim.AddFault(cloudsim.Fault{Route: createRoute, Do: cloudsim.Refuse{
		Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"300"}},
	}})
	w.beats()
	remove()
	r := w.last(volumes[0])
	require.Equal(t, backup.Throttled, r.Reason)
	require.Equal(t, w.clock.Now().Add(5*time.Minute), r.NextTryAt.UTC())
	for range 4 {
		w.step(time.Minute)
		w.dispatch()
		require.Equal(t, 1, w.sim.Counts()[createRoute], "asked again before the cloud wished")
	}
	w.step(time.Minute)
	w.dispatch()
	require.Equal(t, 2, w.sim.Counts()[createRoute])
	w.step(time.Minute)
	w.dispatch()
	require.Equal(t, "available", w.story(volumes[0]))
	w.lawful()
}

// A worker that is stopped while Cinder stalls leaves a record that another
// worker brings to its end.
func TestStalledRequest(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
	remove := w.sim.AddFault(cloudsim.Fault{Route: createRoute, Times: 1, Do: cloudsim.Stall{}})
	w.plan()
	require.NoError(t, w.sched.Dispatch(w.ctx, w.beat()))
	w.stalled(1)
	w.stop()
	require.Equal(t, backup.AnswerUnknown, w.last(volumes[0]).Reason)
	remove()
	w.serve()
	w.run(15*time.Minute, time.Minute)
	require.Equal(t, "available", w.story(volumes[0]))
	require.Len(t, w.sim.BackupsOf(volumes[0]), 1)
	w.lawful()
}
