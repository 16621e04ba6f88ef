package db

import (
	"context"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit"
)

func (h *harness) lead(name string) *Leadership {
	h.t.Helper()
	l, err := Lead(h.ctx, h.url, name)
	require.NoError(h.t, err)
	h.t.Cleanup(l.Resign)
	return l
}

func TestLeadBeginsATermAndExcludesOthers(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	lines := h.changes(func() { h.lead("first") })
	assert.Equal(t, []string{"leadership row leader: '' -> first", "leadership row since: null -> now", "leadership row term: 0 -> 1"}, lines)
	h.changesNothing(func() {
		_, err := Lead(h.ctx, h.url, "second")
		require.ErrorIs(t, err, ErrLed)
	})
}

func TestOnlyOneOfManyCandidatesLeads(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var led atomic.Int32
	leaders := make(chan *Leadership, 20)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			l, err := Lead(h.ctx, h.url, "one of many")
			if err == nil {
				leaders <- l
			} else if assert.ErrorIs(t, err, ErrLed) {
				led.Add(1)
			}
		})
	}
	group.Wait()
	close(leaders)
	assert.EqualValues(t, 19, led.Load())
	for l := range leaders {
		assert.EqualValues(t, 1, l.Term)
		l.Resign()
	}
}

func TestKilledSessionLosesLeadershipToTheNextTerm(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	first := h.lead("first")
	require.NoError(t, first.Alive(h.ctx))
	old, err := h.db.BeginRun(h.ctx, first.Term)
	require.NoError(t, err)

	h.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'staffeln leader' AND datname = current_database()`)
	var second *Leadership
	testkit.Eventually(t, "another leads", time.Minute, func() bool {
		second, err = Lead(h.ctx, h.url, "second")
		return err == nil
	})
	t.Cleanup(second.Resign)
	require.Error(t, first.Alive(h.ctx))
	assert.Equal(t, first.Term+1, second.Term)
	require.NoError(t, second.Alive(h.ctx))
	_, err = h.db.BeginRun(h.ctx, first.Term)
	require.ErrorIs(t, err, ErrLostLeadership)
	require.ErrorIs(t, old.Done(h.ctx, PlanRun, base), ErrLostLeadership)
}

func TestResignReleasesLeadershipAndKeepsRunTimes(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	first := h.lead("first")
	require.NoError(t, h.run().Done(h.ctx, PlanRun, base))
	first.Resign()
	first.Resign()
	var second *Leadership
	testkit.Eventually(t, "another leads", time.Minute, func() (ok bool) {
		l, err := Lead(h.ctx, h.url, "second")
		second = l
		return err == nil
	})
	t.Cleanup(second.Resign)
	b := h.run()
	assert.EqualValues(t, 2, b.Term)
	assert.Equal(t, base, *b.PlannedAt, "what is planned remains planned")
}

// settings release the leader's lock, and the locks of an unfinished run, when its machine vanishes.
var settings = map[string]string{
	"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "3", "tcp_keepalives_count": "2", "tcp_user_timeout": "11000",
	"idle_in_transaction_session_timeout": "1min", "TimeZone": "UTC",
}

func TestSessionsHaveKeepalivesAndTimeouts(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	leader := h.lead("first")
	for name, want := range settings {
		var ofLeader, ofPool string
		require.NoError(t, leader.conn.QueryRow(h.ctx, "SHOW "+name).Scan(&ofLeader))
		require.NoError(t, h.db.pool.QueryRow(h.ctx, "SHOW "+name).Scan(&ofPool))
		assert.Equal(t, want, ofLeader, name)
		assert.Equal(t, want, ofPool, "%s of the pool", name)
	}
}

// If the server vanishes, the leader does not wait for TCP timeouts.
func TestAliveFailsWhenTheServerStopsResponding(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	silent, pass := silentProxy(t, h.url)
	l, err := Lead(h.ctx, silent, "first")
	require.NoError(t, err)
	require.NoError(t, l.Alive(h.ctx))
	pass.Store(false)
	ctx, cancel := context.WithTimeout(h.ctx, 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, l.Alive(ctx), context.DeadlineExceeded)
	require.Error(t, l.Alive(h.ctx), "and the session is given up")
	l.Resign()
}

// silentProxy returns a URL of a proxy to the database that forwards data as long as pass is true.
func silentProxy(t *testing.T, url string) (string, *atomic.Bool) {
	t.Helper()
	cfg, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	pass := new(atomic.Bool)
	pass.Store(true)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := new(net.Dialer).DialContext(t.Context(), "tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))))
			if err != nil {
				return
			}
			go forward(server, client, pass)
			go forward(client, server, pass)
		}
	}()
	return "postgres://" + cfg.User + "@" + listener.Addr().String() + "/" + cfg.Database + "?sslmode=disable", pass
}

func forward(to, from net.Conn, pass *atomic.Bool) {
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			_ = to.Close()
			return
		}
		if pass.Load() {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
	}
}
