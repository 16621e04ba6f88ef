package telemetry

import "time"

// The only two uses of this machine's own clock. Neither decides anything: what the product decides by is the
// database's clock, handed in as now.

// logTime is the time of a line in the log: UTC, to the millisecond.
func logTime() string {
	return time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00") //nolint:forbidigo // a log line tells when this machine wrote it
}

// Stopwatch starts to measure and answers a function that tells how much time has passed since. It is for metrics and
// log fields, never for a decision.
func Stopwatch() func() time.Duration {
	start := time.Now()                                      //nolint:forbidigo // a duration on this machine, by the monotonic clock
	return func() time.Duration { return time.Since(start) } //nolint:forbidigo // the same
}
