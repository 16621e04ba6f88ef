//go:build crash

package crashpoint

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"staffeln/db"
	"staffeln/openstack"
)

// ReadinessPeriod is 0, which turns the periodic checks off: they would happen at random points of a test.
const ReadinessPeriod time.Duration = 0

// HeartbeatPeriod is 0 for the same reason.
const HeartbeatPeriod time.Duration = 0

// process records the calls of the whole process. The environment configures it, see [newRecorder].
var process = sync.OnceValue(func() *recorder { return newRecorder(os.Getenv("CRASH_TRACE"), os.Getenv("CRASH_AT")) })

// Database returns the options that add crash points to database connections.
func Database() []db.Option {
	return []db.Option{func(c *pgxpool.Config) { c.ConnConfig.Tracer = statements{process()} }}
}

// Cloud returns the options that add crash points to the cloud client.
func Cloud() []openstack.Option {
	return []openstack.Option{openstack.WithWrapped(func(next http.RoundTripper) http.RoundTripper { return requests{process(), next} })}
}

// Queue adds crash points to a queue client.
func Queue(rdb redis.UniversalClient) { rdb.AddHook(commands{process()}) }

// statements records calls to the database.
type statements struct{ recorder *recorder }

type pointKey struct{}

// writes matches statements that change data.
var writes = regexp.MustCompile(`(?i)\b(INSERT INTO|UPDATE \w+( \w+)? SET|DELETE FROM)\b`)

func verb(statement string) string {
	first, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(statement)), " ")
	switch {
	case first == "begin" || first == "commit" || first == "rollback":
		return first
	case writes.MatchString(statement):
		return "write"
	}
	return "read"
}

func (s statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	p := here("sql", verb(data.SQL))
	s.recorder.cross(p, "before")
	return context.WithValue(ctx, pointKey{}, p)
}

func (s statements) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	if p, ok := ctx.Value(pointKey{}).(point); ok {
		s.recorder.cross(p, "after")
	}
}

// requests records calls to the cloud.
type requests struct {
	recorder *recorder
	next     http.RoundTripper
}

func (r requests) RoundTrip(request *http.Request) (*http.Response, error) {
	p := here("cloud", request.Method)
	r.recorder.cross(p, "before")
	response, err := r.next.RoundTrip(request)
	r.recorder.cross(p, "after")
	return response, err
}

// commands records calls to the queue.
type commands struct{ recorder *recorder }

func (c commands) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return next(ctx, network, address)
	}
}

func (c commands) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		p := here("queue", command.Name())
		c.recorder.cross(p, "before")
		err := next(ctx, command)
		c.recorder.cross(p, "after")
		return err
	}
}

func (c commands) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, all []redis.Cmder) error {
		p := here("queue", fmt.Sprintf("pipeline of %d", len(all)))
		c.recorder.cross(p, "before")
		err := next(ctx, all)
		c.recorder.cross(p, "after")
		return err
	}
}
