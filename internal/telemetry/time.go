package telemetry

import "time"

// Only these two functions read the clock of this machine. Nothing is decided by it: decisions use the database's clock, which
// is passed as now.

// logTime returns the time of a log line: UTC, with milliseconds.
func logTime() string {
	return time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00") //nolint:forbidigo // a log line has the time at which this machine wrote it
}

// Stopwatch returns a function that returns the time since the call. It is for metrics and log fields, never for decisions.
func Stopwatch() func() time.Duration {
	start := time.Now()                                      //nolint:forbidigo // a duration on this machine, by the monotonic clock
	return func() time.Duration { return time.Since(start) } //nolint:forbidigo // the same
}
