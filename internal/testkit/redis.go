package testkit

import (
	"context"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	redisVariable  = "TEST_REDIS_URL"
	redisDatabases = 512                     // of the test server; database 0 holds only the counter
	redisCounter   = "staffeln:testkit:used" // how many databases were used since the server started
	cleanupTime    = time.Minute
)

// RedisURL returns the URL of an empty Redis database for this test, which is emptied again at the end of the test. All
// databases share the publish/subscribe channels of the server: cancelling an Asynq task by ID cancels it in every database.
func RedisURL(t testing.TB) string {
	t.Helper()
	shared := server(t, redisVariable)
	counter := redisClient(t, shared)
	requireDatabases(t, counter)
	used, err := counter.Incr(t.Context(), redisCounter).Result()
	if err != nil {
		t.Fatalf("count databases of Redis (%s): %v", redisVariable, err)
	}
	own := withPath(t, redisVariable, shared, strconv.FormatInt(database(used), 10))
	client := redisClient(t, own)
	if err := client.FlushDB(t.Context()).Err(); err != nil {
		t.Fatalf("empty Redis database %s: %v", own, err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTime)
		defer cancel()
		_ = client.FlushDB(ctx).Err() // the next user empties it too
	})
	return own
}

// database returns the number of the n-th used database: 1 to 511, then 1 again.
func database(n int64) int64 { return (n-1)%(redisDatabases-1) + 1 }

func requireDatabases(t testing.TB, client *redis.Client) {
	t.Helper()
	settings, err := client.ConfigGet(t.Context(), "databases").Result()
	if err != nil {
		t.Fatalf("ask Redis (%s) for its settings: %v", redisVariable, err)
	}
	if count, err := strconv.Atoi(settings["databases"]); err != nil || count < redisDatabases {
		t.Fatalf("Redis (%s) has %s databases, the tests need %d: start it with --databases %d",
			redisVariable, settings["databases"], redisDatabases, redisDatabases)
	}
}

// redisClient returns a client that is closed after the cleanups of the test.
func redisClient(t testing.TB, address string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(address)
	if err != nil {
		t.Fatalf("read %s: %v", redisVariable, err)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() }) // no command is in progress
	return client
}

// withPath returns the URL of another database on the same server.
func withPath(t testing.TB, variable, server, path string) string {
	t.Helper()
	parsed, err := url.Parse(server)
	if err != nil || parsed.Host == "" {
		t.Fatalf("%s must be a URL with a host, as in scheme://host:port/database: %v", variable, err)
	}
	parsed.Path = "/" + path
	return parsed.String()
}
