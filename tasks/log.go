package tasks

import (
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"staffeln/internal/telemetry"
)

// cleanTime is how long Asynq or the Redis client must log nothing about a problem before it counts as over: both
// repeat it every few seconds while it lasts.
const cleanTime = time.Minute

// asynqLog is Asynq's logger over ours. Asynq's own start and stop are logged one level lower. A problem is logged
// when it begins and when it ends, however often Asynq repeats it.
type asynqLog struct {
	log     zerolog.Logger
	chatter *telemetry.Chatter
}

func newAsynqLog(log zerolog.Logger) asynqLog {
	return asynqLog{log, telemetry.NewChatter(log, cleanTime)}
}

// Debug logs Asynq's debug lines at trace: there are several for each check of the queues.
func (l asynqLog) Debug(args ...any) { l.write(zerolog.TraceLevel, args) }

// Info logs Asynq's start and stop.
func (l asynqLog) Info(args ...any) { l.write(zerolog.DebugLevel, args) }

// Warn logs what Asynq tries again.
func (l asynqLog) Warn(args ...any) { l.trouble(zerolog.WarnLevel, args) }

// Error logs what Asynq could not do.
func (l asynqLog) Error(args ...any) { l.trouble(zerolog.ErrorLevel, args) }

// Fatal logs like Error: only main may end the process, and Asynq 0.26 never calls Fatal.
func (l asynqLog) Fatal(args ...any) { l.trouble(zerolog.ErrorLevel, args) }

func (l asynqLog) write(level zerolog.Level, args []any) {
	if e := l.log.WithLevel(level); e.Enabled() {
		e.Str("event", fmt.Sprint(args...)).Msg("queue")
	}
}

func (l asynqLog) trouble(level zerolog.Level, args []any) {
	line := fmt.Sprint(args...)
	if away(line) {
		l.chatter.Log(zerolog.WarnLevel, "away", line, redisAway)
		return
	}
	l.chatter.Log(level, kindOf(line), line, telemetry.Meaning{
		Begins: "queue", Ends: "queue message no longer repeated",
		Detail: "what Asynq can't do is tried again by itself; check Redis by `staffeln doctor` where it lasts",
	})
}

var redisAway = telemetry.Meaning{
	Begins: "Redis does not respond, will be tried again", Ends: "Redis responds again",
	Detail: "start Redis, or check STAFFELN_REDIS_URL; no task is enqueued or taken until it responds, and none is lost",
}

// away reports whether a line means that Redis can't be reached, or is not ready.
func away(line string) bool {
	for _, part := range []string{
		"dial tcp", "failed to dial", "connection refused", "connection reset", "broken pipe", "i/o timeout", "deadline exceeded", "EOF",
		"no such host", "no route to host", "network is unreachable", "use of closed network connection", "connection pool timeout",
		"LOADING ", "MASTERDOWN ", "CLUSTERDOWN ", "all sentinels",
	} {
		if strings.Contains(line, part) {
			return true
		}
	}
	return false
}

// kindOf returns the constant part of a line: its beginning up to a colon, an equals sign or a number.
func kindOf(line string) string {
	if i := strings.IndexAny(line, ":=0123456789"); i >= 0 {
		line = line[:i]
	}
	return line[:min(len(line), 60)]
}
