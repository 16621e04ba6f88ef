package rig

import (
	"context"
	"maps"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/testkit"
	"staffeln/tasks"
)

// Deployment is the program as real processes, with a cloudsim in this process, on the wall clock.
type Deployment struct {
	T     *testing.T
	Ctx   context.Context //nolint:containedctx // context of the test; it lasts as long as the deployment
	Sim   *cloudsim.Cloud
	Env   map[string]string // of every process
	URL   string
	DB    *pgxpool.Pool
	Redis redis.UniversalClient
}

// NewDeployment migrates an empty database with the real program. Periods are short; all other settings are production
// defaults.
func NewDeployment(t *testing.T, opts cloudsim.Options, change map[string]string) *Deployment {
	t.Helper()
	h := &Deployment{T: t, Ctx: t.Context(), Sim: cloudsim.New(opts)}
	server := httptest.NewServer(h.Sim)
	t.Cleanup(server.Close)
	h.URL = testkit.DatabaseURL(t, nil)
	redisURL := testkit.RedisURL(t)
	h.Env = h.Sim.OpenRC(server.URL)
	maps.Copy(h.Env, map[string]string{
		"STAFFELN_DATABASE_URL": h.URL, "STAFFELN_REDIS_URL": redisURL, "STAFFELN_METRICS_LISTEN": "127.0.0.1:0",
		"STAFFELN_ALLOW_SHORT_PERIODS": "true", "STAFFELN_BACKUP_SERVICE_PERIOD": "2", "STAFFELN_POLL_PERIOD": "1",
		"STAFFELN_BACKUP_MIN_INTERVAL": "1d",
	})
	maps.Copy(h.Env, change)
	out, code := Output(t, h.Env, "migrate", "up")
	require.Zero(t, code, out)
	var err error
	h.DB, err = pgxpool.New(h.Ctx, h.URL)
	require.NoError(t, err)
	t.Cleanup(h.DB.Close)
	h.Redis, err = tasks.Connect(redisURL)
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Redis.Close() })
	return h
}

// Count returns the number of records that match a condition.
func (h *Deployment) Count(where string, args ...any) (n int) {
	h.T.Helper()
	require.NoError(h.T, h.DB.QueryRow(h.Ctx, `SELECT count(*) FROM records WHERE `+where, args...).Scan(&n))
	return n
}

// Eventually waits on the wall clock for at most 5 minutes, which is enough for a recovery.
func (h *Deployment) Eventually(what string, cond func() bool) {
	h.T.Helper()
	testkit.Eventually(h.T, what, 5*time.Minute, cond)
}
