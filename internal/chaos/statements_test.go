package chaos

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// statements injects faults into the SQL statements of actors. An actor is never paused inside a transaction: it would keep
// its locks, and the driver could not see who waits for them.
type statements struct{}

// TraceQueryStart implements [pgx.QueryTracer]. It rejects a statement by an ended context.
func (statements) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	a := actorOf(ctx)
	if a == nil || data.SQL == "rollback" { // a rollback is also sent when a connection ends
		return ctx
	}
	env := a.environment
	name := title(data.SQL)
	keeps := strings.HasPrefix(name, "sql INSERT INTO volumes") // the write of what a plan saw, before the records that follow from it
	what := a.decide(call{name: name, pausable: conn.PgConn().TxStatus() == 'I', changes: keeps, begins: data.SQL == "begin"})
	if env.databaseAway && what == nothing {
		what = refused
	}
	switch what {
	case diesFirst, refused, odd:
		env.trace("%s %d %s: %s", a.name, a.calls, name, what)
		over, cancel := context.WithCancel(ctx)
		cancel()
		return over
	case diesAfter, responseLost:
		env.trace("%s %d %s: its response is lost", a.name, a.calls, name)
		if c, ok := conn.PgConn().Conn().(*deafConn); ok {
			c.deaf = true
		}
	default:
		env.trace("%s %d %s", a.name, a.calls, name)
	}
	return ctx
}

// TraceQueryEnd implements [pgx.QueryTracer].
func (statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// title shortens a statement to its beginning.
func title(sql string) string {
	words := strings.Fields(sql[:min(len(sql), 400)])
	text := strings.Join(words, " ")
	if i := strings.Index(text, " ) UPDATE "); i > 0 {
		text = text[i+3:]
	}
	if i := strings.Index(text, ") UPDATE "); i > 0 {
		text = text[i+2:]
	}
	return "sql " + text[:min(len(text), 70)]
}

// traced is the option of a DB whose statements get faults.
func traced(c *pgxpool.Config) {
	c.ConnConfig.Tracer = statements{}
	c.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	c.MaxConns = 16
	dial := c.ConnConfig.DialFunc
	c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &deafConn{Conn: conn}, nil
	}
}

// A deafConn can lose the response to a statement: it waits until the server has executed the statement, and then breaks.
type deafConn struct {
	net.Conn

	deaf   bool // from the next executed statement on
	broken bool // after the current write
}

var errDeaf = errors.New("connection reset before the response")

// Write implements [net.Conn]. A message that only prepares a statement does not count.
func (c *deafConn) Write(b []byte) (int, error) {
	if c.deaf && executes(b) {
		c.broken = true
	}
	return c.Conn.Write(b)
}

// Read implements [net.Conn].
func (c *deafConn) Read(b []byte) (int, error) {
	if !c.broken {
		return c.Conn.Read(b)
	}
	heading := make([]byte, 5)
	for heading[0] != 'Z' { // ReadyForQuery
		if err := c.fill(heading); err != nil {
			return 0, err
		}
		if err := c.fill(make([]byte, binary.BigEndian.Uint32(heading[1:])-4)); err != nil {
			return 0, err
		}
	}
	_ = c.Close() // the client sees a broken connection
	return 0, errDeaf
}

func (c *deafConn) fill(b []byte) error {
	for n := 0; n < len(b); {
		m, err := c.Conn.Read(b[n:])
		if err != nil {
			return err
		}
		n += m
	}
	return nil
}

// executes reports whether messages to the server contain a statement to execute.
func executes(b []byte) bool {
	for len(b) >= 5 {
		if b[0] == 'E' || b[0] == 'Q' {
			return true
		}
		length := int(binary.BigEndian.Uint32(b[1:])) + 1
		if length > len(b) {
			return false
		}
		b = b[length:]
	}
	return false
}
