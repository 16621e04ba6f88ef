package tasks

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// openTime is how long Redis may take to respond at a start; the client tries several times in that time.
const openTime = 10 * time.Second

// Open connects like [Connect], and refuses a Redis that does not respond, with advice what to do. That is for the start of
// a process: a wrong address is found there or never, and the supervisor starts the process again. A running process
// survives an outage of its Redis.
func Open(ctx context.Context, url string) (redis.UniversalClient, error) {
	rdb, err := Connect(url)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	if err := rdb.Ping(ctx).Err(); err != nil {
		_ = rdb.Close()    // it was never used
		a, _ := parse(url) // Connect has parsed it
		return nil, fmt.Errorf("connect to redis %s: %w: %s", strings.Join(a.hosts, ","), err, advice(err))
	}
	return rdb, nil
}

// advice returns what to do, by the code that begins Redis' refusals, and by the text of those that share the general
// code.
func advice(err error) string {
	text := err.Error()
	switch {
	case strings.Contains(text, "NOAUTH"), strings.Contains(text, "WRONGPASS"), strings.Contains(text, "NOPERM"), strings.Contains(text, "AUTH"):
		return "check user or password in STAFFELN_REDIS_URL"
	case strings.Contains(text, "DB index"):
		return "check the number after the host in STAFFELN_REDIS_URL"
	case strings.Contains(text, "LOADING"):
		return "wait until it has read its data, then start again"
	case strings.Contains(text, "x509"), strings.Contains(text, "tls: "):
		return "check scheme or ca_file in STAFFELN_REDIS_URL, or the server's certificate"
	}
	return "start Redis there, or check STAFFELN_REDIS_URL"
}
