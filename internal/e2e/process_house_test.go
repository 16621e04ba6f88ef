package e2e

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

// house is the program as real processes around a cloudsim in this process, on
// the wall clock.
type house struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // the test's own, which lasts as long as the house
	sim *cloudsim.Cloud
	env map[string]string // of every process
	url string
	db  *pgxpool.Pool
	rdb redis.UniversalClient
}

// newHouse migrates an empty database with the real program. Periods are
// short; everything else is the default of production.
func newHouse(t *testing.T, opts cloudsim.Options, change map[string]string) *house {
	t.Helper()
	h := &house{t: t, ctx: t.Context(), sim: cloudsim.New(opts)}
	server := httptest.NewServer(h.sim)
	t.Cleanup(server.Close)
	h.url = testkit.DatabaseURL(t, nil)
	redisURL := testkit.RedisURL(t)
	h.env = h.sim.OpenRC(server.URL)
	maps.Copy(h.env, map[string]string{
		"STAFFELN_DATABASE_URL": h.url, "STAFFELN_REDIS_URL": redisURL, "STAFFELN_METRICS_LISTEN": "127.0.0.1:0",
		"STAFFELN_ALLOW_SHORT_PERIODS": "true", "STAFFELN_BACKUP_SERVICE_PERIOD": "2", "STAFFELN_POLL_PERIOD": "1",
		"STAFFELN_BACKUP_MIN_INTERVAL": "1d",
	})
	maps.Copy(h.env, change)
	out, code := finish(t, h.env, "migrate", "up")
	require.Zero(t, code, out)
	var err error
	h.db, err = pgxpool.New(h.ctx, h.url)
	require.NoError(t, err)
	t.Cleanup(h.db.Close)
	h.rdb, err = tasks.Connect(redisURL)
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.rdb.Close() })
	return h
}

func (h *house) count(where string, args ...any) (n int) {
	h.t.Helper()
	require.NoError(h.t, h.db.QueryRow(h.ctx, `SELECT count(*) FROM records WHERE `+where, args...).Scan(&n))
	return n
}

// eventually waits on the wall clock, as long as recovery may take.
func (h *house) eventually(what string, cond func() bool) {
	h.t.Helper()
	testkit.Eventually(h.t, what, 5*time.Minute, cond)
}
