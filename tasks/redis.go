package tasks

import (
	"context"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/rs/zerolog"

	"staffeln/internal/keyfile"
	"staffeln/internal/telemetry"
)

// Config is the address of the queue.
type Config struct {
	RedisURL string `split_words:"true" required:"true" secret:"true" desc:"The Redis of the queue: redis://user:password@host:6379/0, rediss:// for TLS (with ?ca_file=), redis-sentinel://user:password@host1,host2/0?master=name (with &sentinel_username= and &sentinel_password=), or redis-cluster://user:password@host1,host2. For the last two, ?tls=true or ?ca_file= asks for TLS. It must keep an append-only file and never evict; losing it costs one poll period, not a backup."`
}

// Validate returns an error if the URL can't be parsed.
func (c Config) Validate() error {
	if c.RedisURL == "" {
		return nil // reported as missing
	}
	if _, err := parse(c.RedisURL); err != nil {
		return fmt.Errorf("REDIS_URL: %w", err)
	}
	return nil
}

// Connect returns a client for url (see [Config]); the caller closes it. It does not contact Redis yet: [Open] does.
// No error names a user or a password.
func Connect(url string) (redis.UniversalClient, error) {
	o, err := options(url)
	if err != nil {
		return nil, err
	}
	return redis.NewUniversalClient(o), nil
}

// ConnOpt returns the connection options for Asynq's own tools to the Redis of url (see [Config]). Each tool makes clients
// as [Connect] does and closes them itself. It does not contact Redis. No error names a user or a password.
func ConnOpt(url string) (asynq.RedisConnOpt, error) {
	o, err := options(url)
	if err != nil {
		return nil, err
	}
	return connOpt{o}, nil
}

// connOpt is Asynq's interface over our options: Asynq has fewer options, and its URL parser drops the user.
type connOpt struct{ *redis.UniversalOptions }

// MakeRedisClient returns a new client for each call.
func (o connOpt) MakeRedisClient() any { return redis.NewUniversalClient(o.UniversalOptions) }

func options(url string) (*redis.UniversalOptions, error) {
	a, err := parse(url)
	if err != nil {
		return nil, fmt.Errorf("read URL of redis: %w", err)
	}
	o := &redis.UniversalOptions{
		Addrs: a.hosts, DB: a.database, Username: a.user, Password: a.password,
		MasterName: a.master, SentinelUsername: a.sentinelUser, SentinelPassword: a.sentinelPassword,
		IsClusterMode: a.scheme == cluster, ClientName: "staffeln",
		// Asynq's inspector asks without a context: these limit it, and how long a dispatch run waits for a dead Redis.
		DialTimeout: 2 * time.Second, DialerRetries: 2, ReadTimeout: 3 * time.Second,
		// Without it a call outlasts its context by the read timeout (3 s measured for 1 s asked).
		ContextTimeoutEnabled: true,
		// A notification of one vendor's cloud; asking for it costs a round trip and a goroutine per connection.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if a.tls {
		// It sets no server name: the client uses the name of the host that it dials, which it may learn later.
		if o.TLSConfig, err = keyfile.ClientTLS(a.caFile); err != nil {
			return nil, fmt.Errorf("prepare TLS to redis: read ca_file: %w", err)
		}
	}
	return o, nil
}

// LogRedis sends the Redis client's log lines to log. The client has one log for the whole program, so main calls this
// once. Without it, the client writes plain lines between the JSON lines on standard error.
func LogRedis(log zerolog.Logger) { redis.SetLogger(redisLog{telemetry.NewChatter(log, cleanTime)}) }

type redisLog struct{ chatter *telemetry.Chatter }

// Printf logs what the client noticed, when it begins and when it ends. The client tries again by itself, so the level
// is never higher than a warning.
func (l redisLog) Printf(_ context.Context, format string, values ...any) {
	line := fmt.Sprintf(format, values...)
	if away(line) {
		l.chatter.Log(zerolog.WarnLevel, "away", line, redisAway)
		return
	}
	l.chatter.Log(zerolog.WarnLevel, kindOf(format), line, telemetry.Meaning{Begins: "redis client", Ends: "redis client message no longer repeated"})
}
