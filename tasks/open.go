package tasks

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// openTime is how long Redis may take to answer at a start; the client tries several times meanwhile.
const openTime = 10 * time.Second

// Open connects as [Connect] does, and refuses a Redis that does not answer, saying what to do. That is for the start
// of a process: a wrong address is found there or never, and what supervises us starts us again. A process that runs
// outlives the absence of its Redis.
func Open(ctx context.Context, url string) (redis.UniversalClient, error) {
	rdb, err := Connect(url)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	if err := rdb.Ping(ctx).Err(); err != nil {
		_ = rdb.Close()    // nothing was asked of it
		a, _ := parse(url) // Connect has read it
		return nil, fmt.Errorf("connect to redis %s: %w: %s", strings.Join(a.hosts, ","), err, advice(err))
	}
	return rdb, nil
}

// advice says what to do by the first word of Redis' refusals, which is a code, and by the few words of those that have
// the code of all others.
func advice(err error) string {
	said := err.Error()
	switch {
	case strings.Contains(said, "NOAUTH"), strings.Contains(said, "WRONGPASS"), strings.Contains(said, "NOPERM"), strings.Contains(said, "AUTH"):
		return "check user or password in STAFFELN_REDIS_URL"
	case strings.Contains(said, "DB index"):
		return "check the number after the host in STAFFELN_REDIS_URL"
	case strings.Contains(said, "LOADING"):
		return "wait until it has read its data, then start again"
	case strings.Contains(said, "x509"), strings.Contains(said, "tls: "):
		return "check scheme or ca_file in STAFFELN_REDIS_URL, or the server's certificate"
	}
	return "start Redis there, or check STAFFELN_REDIS_URL"
}
