package tasks

import (
	"fmt"

	"github.com/rs/zerolog"
)

// asynqLog lets Asynq write to our log, one level lower where it tells of its own coming and going.
type asynqLog struct{ log zerolog.Logger }

// Debug writes Asynq's debug lines: several for each look into the queues.
func (l asynqLog) Debug(args ...any) { l.write(zerolog.TraceLevel, args) }

// Info writes that Asynq starts and stops.
func (l asynqLog) Info(args ...any) { l.write(zerolog.DebugLevel, args) }

// Warn writes what Asynq tries again.
func (l asynqLog) Warn(args ...any) { l.write(zerolog.WarnLevel, args) }

// Error writes what Asynq could not do.
func (l asynqLog) Error(args ...any) { l.write(zerolog.ErrorLevel, args) }

// Fatal writes as Error does: ending the process is main's affair, and Asynq 0.26 calls it nowhere.
func (l asynqLog) Fatal(args ...any) { l.write(zerolog.ErrorLevel, args) }

func (l asynqLog) write(level zerolog.Level, args []any) {
	if e := l.log.WithLevel(level); e.Enabled() {
		e.Str("said", fmt.Sprint(args...)).Msg("queue")
	}
}
