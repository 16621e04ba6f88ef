package db

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// leaderLock is the advisory lock of the one scheduler that acts; its number
// is "staffeln" in ASCII.
const leaderLock = 0x7374616666656c6e

// Leadership is one scheduler's claim to lead: a database session of its own
// that holds the advisory lock while it lives. The lock is an optimisation;
// what protects the records is the term that every write names.
type Leadership struct {
	mu   sync.Mutex // held by whoever uses conn
	conn *pgx.Conn
	Term int64
}

// ErrLed says that another scheduler leads.
var ErrLed = errors.New("another scheduler leads")

// Lead tries to become the leader under the given name and begins a new term.
// It returns [ErrLed] where another one leads. The session asks the server for
// keepalives, so that a leader whose machine vanished is forgotten within 15 s.
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
		return nil, fmt.Errorf("lead: connect to database %s: %w", place(cfg), err)
	}
	l := &Leadership{conn: conn}
	var mine bool
	if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(leaderLock)).Scan(&mine); err != nil {
		l.Resign()
		return nil, fmt.Errorf("lead: ask for the lock: %w", err)
	}
	if !mine {
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

// aliveTime is how long the leader waits for a sign of its session: no longer
// than the server waits before it gives the lock to another.
const aliveTime = 10 * time.Second

// Alive tells whether the session that holds the lock still lives.
func (l *Leadership) Alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, aliveTime)
	defer cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.conn.Ping(ctx); err != nil {
		return fmt.Errorf("lead: the session is gone: %w", err)
	}
	return nil
}

const (
	silenceTime = "10s"           // after it the server ends a session of which it hears nothing
	wordTime    = 2 * time.Second // between two words of a leader that lives
)

// Keep lets the server hear of this process, also in the middle of a long beat,
// until the returned function is called, and asks it to end the session when it
// hears nothing. A process that hangs, or is frozen, would keep the lead for as
// long: its kernel goes on answering keepalives. A Postgres before 14 cannot do
// that. Where the session is gone it ends by itself: [Leadership.Alive] tells.
func (l *Leadership) Keep(ctx context.Context) (stop func()) {
	const ask = `SELECT set_config(name, $1, false) FROM pg_settings WHERE name = 'idle_session_timeout'`
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	say := func() error {
		ctx, cancel := context.WithTimeout(ctx, aliveTime)
		defer cancel()
		l.mu.Lock()
		defer l.mu.Unlock()
		_, err := l.conn.Exec(ctx, ask, silenceTime)
		return err
	}
	go func() {
		defer close(ended)
		word := time.NewTicker(wordTime)
		defer word.Stop()
		for say() == nil {
			select {
			case <-word.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// Resign ends the session and with it the leadership.
func (l *Leadership) Resign() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.conn.Close(ctx) // a session that can't be closed is ended by the server's keepalives
}
