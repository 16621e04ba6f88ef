package db

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// leaderLock is the number of the advisory lock that the leading scheduler holds: "staffeln" in ASCII.
const leaderLock = 0x7374616666656c6e

// Leadership is a database session that holds the advisory lock while it lives. The lock is an optimisation; what protects the
// records is the term that every write checks.
type Leadership struct {
	mu   sync.Mutex // guards conn
	conn *pgx.Conn
	Term int64
}

// ErrLed means that another scheduler leads.
var ErrLed = errors.New("another scheduler leads")

// Lead tries to become the leader under the given name and begins a new term. It returns [ErrLed] if another scheduler leads.
// The session uses TCP keepalives, so the server releases the lock within 15 s if the leader's machine vanishes.
func Lead(ctx context.Context, url, name string, opts ...Option) (*Leadership, error) {
	cfg, err := parse(url, "staffeln leader")
	if err != nil {
		return nil, fmt.Errorf("lead: %w", err)
	}
	for _, change := range opts {
		change(cfg)
	}
	conn, err := pgx.ConnectConfig(ctx, cfg.ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("lead: connect to database %s: %w", databaseAddress(cfg), err)
	}
	l := &Leadership{conn: conn}
	var acquired bool
	if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(leaderLock)).Scan(&acquired); err != nil {
		l.Resign()
		return nil, fmt.Errorf("lead: ask for the lock: %w", err)
	}
	if !acquired {
		l.Resign()
		return nil, ErrLed
	}
	const begin = `UPDATE leadership SET term = term + 1, leader = $1, since = staffeln_now() RETURNING term`
	if err := conn.QueryRow(ctx, begin, name).Scan(&l.Term); err != nil {
		l.Resign()
		return nil, fmt.Errorf("lead: begin a term: %w", err)
	}
	return l, nil
}

// aliveTimeout is how long the leader waits for a response on its session. It is no longer than the time after which the
// server gives the lock to another scheduler.
const aliveTimeout = 10 * time.Second

// Alive returns an error if the session that holds the lock is gone.
func (l *Leadership) Alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, aliveTimeout)
	defer cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.conn.Ping(ctx); err != nil {
		return fmt.Errorf("lead: the session is gone: %w", err)
	}
	return nil
}

const (
	idleSessionTimeout = "10s"           // the server ends a session that is idle for longer
	heartbeatInterval  = 2 * time.Second // between two heartbeats of the leader
)

// Keep sends heartbeats to the server until the returned function is called, also during a long run, and lets the server end
// the session if they stop. Without Keep, a process that hangs or is frozen keeps the leadership until it ends, because its
// kernel still responds to keepalives. Postgres before 14 has no idle_session_timeout. If the session is gone, the heartbeats
// stop, and lost is called, so that a run in progress ends: after a failover that lost the newest term, the next leader may have
// the same term number. Keep calls sent after each heartbeat.
func (l *Leadership) Keep(ctx context.Context, sent func(context.Context), lost func(error)) (stop func()) {
	const setTimeout = `SELECT set_config(name, $1, false) FROM pg_settings WHERE name = 'idle_session_timeout'`
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	heartbeat := func() error {
		ctx, cancel := context.WithTimeout(ctx, aliveTimeout)
		defer cancel()
		l.mu.Lock()
		defer l.mu.Unlock()
		_, err := l.conn.Exec(ctx, setTimeout, idleSessionTimeout)
		return err
	}
	go func() {
		defer close(ended)
		ticker := time.NewTicker(heartbeatInterval)
		defer ticker.Stop()
		for {
			if err := heartbeat(); err != nil {
				if ctx.Err() == nil {
					lost(fmt.Errorf("send the leader's heartbeat: %w", err))
				}
				return
			}
			limited, cancel := context.WithTimeout(ctx, heartbeatInterval)
			sent(limited)
			cancel()
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// Resign closes the session and thereby ends the leadership.
func (l *Leadership) Resign() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.conn.Close(ctx) // if this fails, the server's keepalives end the session
}
