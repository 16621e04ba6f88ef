//go:build crash

package main

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

// readinessPeriod is none: a look by the clock would be at no certain place.
const readinessPeriod time.Duration = 0

// boundary stands at every boundary of the process and tells each crossing, before it happens and after it had its effect.
type boundary struct {
	database []db.Option
	cloud    []openstack.Option
	watch    *watch
}

// boundaries is one for the whole process. The environment tells it what to do, see [newWatch].
var boundaries = sync.OnceValue(newBoundary)

func newBoundary() boundary {
	w := newWatch(os.Getenv("CRASH_TRACE"), os.Getenv("CRASH_AT"))
	return boundary{
		database: []db.Option{func(c *pgxpool.Config) { c.ConnConfig.Tracer = statements{w} }},
		cloud:    []openstack.Option{openstack.WithWrapped(func(below http.RoundTripper) http.RoundTripper { return requests{w, below} })},
		watch:    w,
	}
}

func (b boundary) queue(rdb redis.UniversalClient) { rdb.AddHook(commands{b.watch}) }

// statements watches the database.
type statements struct{ watch *watch }

type placeKey struct{}

// writes tells a statement that changes something from one that looks.
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
	s.watch.cross(p, "before")
	return context.WithValue(ctx, placeKey{}, p)
}

func (s statements) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	if p, ok := ctx.Value(placeKey{}).(place); ok {
		s.watch.cross(p, "after")
	}
}

// requests watches the cloud.
type requests struct {
	watch *watch
	below http.RoundTripper
}

func (r requests) RoundTrip(request *http.Request) (*http.Response, error) {
	p := here("cloud", request.Method)
	r.watch.cross(p, "before")
	response, err := r.below.RoundTrip(request)
	r.watch.cross(p, "after")
	return response, err
}

// commands watches the queue.
type commands struct{ watch *watch }

func (c commands) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return next(ctx, network, address)
	}
}

func (c commands) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		p := here("queue", command.Name())
		c.watch.cross(p, "before")
		err := next(ctx, command)
		c.watch.cross(p, "after")
		return err
	}
}

func (c commands) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, all []redis.Cmder) error {
		p := here("queue", fmt.Sprintf("pipeline of %d", len(all)))
		c.watch.cross(p, "before")
		err := next(ctx, all)
		c.watch.cross(p, "after")
		return err
	}
}
