package process

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit"
	"staffeln/internal/testkit/private"
)

// logRig is scheduler, worker and api as real processes, with a Postgres and a Redis that a test can stop. The database and
// the cloud share one stepped clock.
type logRig struct {
	*rig.Deployment

	clock           *testkit.Clock
	postgres, redis *private.Server
	processes       map[string]*rig.Process // by role
	marks           map[string]int          // size of the log when the current hour began
}

// newLogRig returns when all volumes have their first backup.
func newLogRig(t *testing.T) *logRig {
	t.Helper()
	r := &logRig{
		Deployment: &rig.Deployment{T: t, Ctx: t.Context()}, clock: testkit.NewClock(time.Now().UTC().Truncate(24 * time.Hour)), processes: map[string]*rig.Process{}, marks: map[string]int{},
	}
	var err error
	home := t.TempDir()
	r.postgres, err = private.StartPostgres(r.Ctx, home)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.postgres.Stop()) })
	r.redis, err = private.StartRedis(r.Ctx, home)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.redis.Stop()) })
	r.URL = r.postgres.URL
	r.Sim = cloudsim.New(cloudsim.Options{Now: r.clock.Now, TokenLife: 1000 * time.Hour})
	cloud := httptest.NewServer(r.Sim)
	t.Cleanup(cloud.Close)
	r.Env = r.Sim.OpenRC(cloud.URL)
	maps.Copy(r.Env, map[string]string{
		"STAFFELN_DATABASE_URL": r.URL, "STAFFELN_REDIS_URL": r.redis.URL, "STAFFELN_METRICS_LISTEN": "127.0.0.1:0", "STAFFELN_API_LISTEN": "127.0.0.1:0",
		"STAFFELN_POLL_PERIOD": "1", "STAFFELN_BACKUP_SERVICE_PERIOD": "600", "STAFFELN_RECONCILE_PERIOD": "30min", "STAFFELN_BACKUP_MIN_INTERVAL": "20h",
		"STAFFELN_OPENSTACK_RETRY_TIMEOUT": "1",
	})
	out, code := rig.Output(t, r.Env, "migrate", "up")
	require.Zero(t, code, out)
	r.DB, err = pgxpool.New(r.Ctx, r.URL)
	require.NoError(t, err)
	t.Cleanup(r.DB.Close)
	r.exec(`CREATE TABLE test_clock (at timestamptz NOT NULL)`)
	r.exec(`INSERT INTO test_clock VALUES ($1)`, r.clock.Now())
	r.exec(`CREATE OR REPLACE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT at FROM public.test_clock'`)
	cloudsim.Seed(r.Sim, cloudsim.SeedOptions{Projects: 2, Servers: 4, VolumesPerServer: 1, MetadataKey: "__staffeln_backup", Users: true})
	for _, role := range []string{"scheduler", "worker", "api"} {
		r.processes[role] = rig.Launch(t, r.Env, role)
	}
	for r.Count(`state = 'available'`) < 4 {
		r.tick()
	}
	return r
}

func (r *logRig) exec(statement string, args ...any) {
	r.T.Helper()
	_, err := r.DB.Exec(r.Ctx, statement, args...)
	require.NoError(r.T, err)
}

func (r *logRig) step(d time.Duration) {
	r.exec(`UPDATE test_clock SET at = $1`, r.clock.Step(d))
}

// mark begins an hour whose log lines are counted.
func (r *logRig) mark() {
	for role, p := range r.processes {
		r.marks[role] = len(p.Log.String())
	}
}

// tick advances the clock and waits until the leader has dispatched.
func (r *logRig) tick() {
	r.T.Helper()
	r.tickUntil("dispatched_at", r.clock.Now().Add(200*time.Second))
}

// tickUntil advances the clock and waits until the leader's newest run of that column is not before a time.
func (r *logRig) tickUntil(run string, want time.Time) {
	r.T.Helper()
	r.step(200 * time.Second)
	r.Eventually("the leader runs: "+run, func() bool {
		var at *time.Time
		require.NoError(r.T, r.DB.QueryRow(r.Ctx, `SELECT `+run+` FROM leadership`).Scan(&at))
		return at != nil && !at.Before(want)
	})
}

// hour lets an hour pass, in ticks.
func (r *logRig) hour() {
	r.T.Helper()
	for range 18 {
		r.tick()
	}
}

// waitLogged waits until a process has logged a message since the hour began.
func (r *logRig) waitLogged(role, message string, pass func()) {
	r.T.Helper()
	testkit.Eventually(r.T, role+" logs: "+message, 5*time.Minute, func() bool {
		pass()
		return slices.ContainsFunc(r.lines(role), func(l line) bool { return l["message"] == message })
	})
}

// waitProblem waits until a process has logged a warning or error that has all parts since the hour began. The plan has its own
// loop: on a slow machine the hour's ticks may be over before it has met the problem.
func (r *logRig) waitProblem(pass func(), role string, parts ...string) {
	r.T.Helper()
	missing := func(text string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
	}
	testkit.Eventually(r.T, role+" logs a problem with "+strings.Join(parts, ", "), 5*time.Minute, func() bool {
		logged := slices.ContainsFunc(r.lines(role), func(l line) bool {
			text, err := json.Marshal(l)
			require.NoError(r.T, err)
			return l["level"] != "info" && !missing(string(text))
		})
		if !logged {
			pass()
		}
		return logged
	})
}

// line is one line of a log.
type line map[string]any

// lines returns what a process logged since the hour began. Each line must be one JSON object.
func (r *logRig) lines(role string) (all []line) {
	r.T.Helper()
	text := r.processes[role].Log.String()[r.marks[role]:]
	for one := range strings.Lines(text) {
		if !strings.HasSuffix(one, "\n") {
			break // the line is not complete yet
		}
		var l line
		require.NoError(r.T, json.Unmarshal([]byte(one), &l), "%s: not an object on one line: %s", role, one)
		all = append(all, l)
	}
	return all
}

// requireNotReady checks that a process logs what is missing and what to do.
func (r *logRig) requireNotReady(role, part string) {
	r.T.Helper()
	assert.True(r.T, slices.ContainsFunc(r.lines(role), func(l line) bool {
		text, _ := l["error"].(string)
		return l["message"] == "not ready" && strings.Contains(text, part)
	}), "%s does not log what to do", role)
}

// requireAtMost checks how many lines each process logged since the hour began.
func (r *logRig) requireAtMost(most int) {
	r.T.Helper()
	for role, p := range r.processes {
		lines := r.lines(role)
		r.T.Logf("%s: %d lines", role, len(lines))
		if assert.LessOrEqual(r.T, len(lines), most, "lines of %s", role) {
			continue
		}
		r.T.Log(p.Log.String()[r.marks[role]:])
	}
}
