package process

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
)

// In an hour of a healthy cloud, with nothing due, each process writes less than twenty log lines. In an hour without one of
// the services it writes less than forty; they name the cause and what to do at the beginning, and the end of the outage. Each
// line is one JSON object.
func TestHourIsLoggedBriefly(t *testing.T) {
	t.Parallel()
	r := newLogRig(t)
	const idle, troubled = 19, 39
	refuse := func(status int, path string) (endFault func()) {
		return r.Sim.AddFault(cloudsim.Fault{Match: func(q cloudsim.Request) bool { return strings.Contains(q.Path, path) }, Do: cloudsim.Refuse{Status: status}})
	}
	within := func(name string, most int, hour func()) {
		t.Run(name, func(t *testing.T) {
			defer func(before *testing.T) { r.T = before }(r.T)
			r.T = t
			r.mark()
			hour()
			r.requireAtMost(most)
		})
	}
	within("healthy", idle, r.hour)
	for _, status := range []int{http.StatusNotFound, http.StatusForbidden} {
		within("services refused", troubled, func() {
			endFault := refuse(status, "/os-services")
			r.step(20 * time.Hour) // so that all volumes are due
			r.hour()
			r.waitProblem(r.tick, "scheduler", "backup services not listed", "os-services")
			endFault()
			r.step(20 * time.Hour)
			r.waitLogged("scheduler", "backup services listed again", r.tick)
		})
	}
	for r.Count(`state IN ('planned', 'creating', 'overdue', 'deleting')`) > 0 {
		r.tick() // backups that are in progress when cinder-backup stops would only be waited for
	}
	within("cinder-backup is away", troubled, func() {
		r.Sim.SetBackupService(false)
		r.step(20 * time.Hour) // so that all volumes are due
		r.hour()
		r.waitProblem(r.tick, "scheduler", "no cinder-backup service is up", "start one", `"zones":["nova"]`)
		r.Sim.SetBackupService(true)
		r.waitLogged("scheduler", "admission no longer throttled", r.tick)
	})
	within("Cinder returns 503", troubled, func() {
		endFault := refuse(http.StatusServiceUnavailable, "/volume/")
		r.hour()
		r.waitProblem(r.tick, "scheduler", "503", "list volumes", "cloud call will be tried again")
		r.waitLogged("scheduler", "plan does not see the whole cloud", r.tick)
		endFault()
		r.waitLogged("scheduler", "plan sees the whole cloud again", r.tick)
	})
	within("Keystone is away", troubled, func() {
		endFault := refuse(http.StatusServiceUnavailable, "/identity/")
		r.hour()
		r.waitProblem(r.tick, "scheduler", "503", "plan does not see the whole cloud")
		endFault()
		r.waitLogged("scheduler", "plan sees the whole cloud again", r.tick)
	})
	within("Redis is away", troubled, func() {
		require.NoError(t, r.redis.Kill())
		r.step(20 * time.Hour)
		for range 18 {
			r.tickUntil("planned_at", r.clock.Now().Add(200*time.Second).Truncate(10*time.Minute)) // no dispatch run succeeds
		}
		r.waitLogged("worker", "not ready", func() {})
		require.NoError(t, r.redis.Restart(r.Ctx))
		r.waitLogged("worker", "ready again", func() {})
		r.waitLogged("scheduler", "run succeeded again", r.tick)
		r.waitProblem(func() {}, "worker", "STAFFELN_REDIS_URL")
		r.waitProblem(func() {}, "scheduler", "STAFFELN_REDIS_URL")
	})
	within("Postgres is away", troubled, func() {
		require.NoError(t, r.postgres.Kill())
		for role := range r.processes {
			r.waitLogged(role, "not ready", func() {})
		}
		require.NoError(t, r.postgres.Restart(r.Ctx))
		r.DB.Reset()
		for role := range r.processes {
			r.waitLogged(role, "ready again", func() {})
		}
		r.waitProblem(func() {}, "api", "STAFFELN_DATABASE_URL")
		r.requireNotReady("worker", "STAFFELN_DATABASE_URL") // a task may have logged it before
	})
}
