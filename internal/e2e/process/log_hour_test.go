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
	refuse := func(status int, path string) (mend func()) {
		return r.Sim.AddFault(cloudsim.Fault{Match: func(q cloudsim.Request) bool { return strings.Contains(q.Path, path) }, Do: cloudsim.Refuse{Status: status}})
	}
	within := func(name string, most int, hour func()) {
		t.Run(name, func(t *testing.T) {
			defer func(before *testing.T) { r.T = before }(r.T)
			r.T = t
			r.mark()
			hour()
			r.within(most)
		})
	}
	within("healthy", idle, r.hour)
	for _, status := range []int{http.StatusNotFound, http.StatusForbidden} {
		within("services refused", troubled, func() {
			mend := refuse(status, "/os-services")
			r.step(20 * time.Hour) // so that all volumes are due
			r.hour()
			r.complains("scheduler", "backup services not listed", "os-services")
			mend()
			r.step(20 * time.Hour)
			r.says("scheduler", "backup services listed again", r.tick)
		})
	}
	within("Cinder answers 503", troubled, func() {
		mend := refuse(http.StatusServiceUnavailable, "/volume/")
		r.hour()
		r.complains("scheduler", "503", "list volumes", "cloud call will be tried again")
		mend()
		r.says("scheduler", "plan sees the whole cloud again", r.tick)
	})
	within("Keystone is away", troubled, func() {
		mend := refuse(http.StatusServiceUnavailable, "/identity/")
		r.hour()
		r.complains("scheduler", "503")
		mend()
		r.says("scheduler", "plan sees the whole cloud again", r.tick)
	})
	within("Redis is away", troubled, func() {
		require.NoError(t, r.redis.Kill())
		r.step(20 * time.Hour)
		r.hour()
		r.says("worker", "not ready", func() {})
		require.NoError(t, r.redis.Restart(r.Ctx))
		r.says("worker", "ready again", func() {})
		r.says("scheduler", "tasks enqueued again", r.tick)
		r.complains("worker", "STAFFELN_REDIS_URL")
		r.complains("scheduler", "STAFFELN_REDIS_URL")
	})
	within("Postgres is away", troubled, func() {
		require.NoError(t, r.postgres.Kill())
		for role := range r.processes {
			r.says(role, "not ready", func() {})
		}
		require.NoError(t, r.postgres.Restart(r.Ctx))
		r.DB.Reset()
		for role := range r.processes {
			r.says(role, "ready again", func() {})
		}
		r.complains("api", "STAFFELN_DATABASE_URL")
		r.cures("worker", "STAFFELN_DATABASE_URL") // a task may have logged it before
	})
}
