package testkit

import (
	"testing"
	"time"
)

// Eventually waits until the condition is true. If it is not within the given time, the test fails with the text what. It is
// for other goroutines and processes; a test that can step a clock should do that instead. It must be called by the goroutine
// of the test, which also runs the condition.
func Eventually(t testing.TB, what string, within time.Duration, condition func() bool) {
	t.Helper()
	end := time.NewTimer(within)
	defer end.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-end.C:
			if condition() { // the last check was before the timeout
				return
			}
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}
