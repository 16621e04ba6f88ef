package testkit

import (
	"testing"
	"time"
)

// Eventually waits until the condition holds and fails the test, by what, when it does not within the given time.
// It is for what other goroutines and processes do; where the test itself can step a clock, it does that instead.
// It must be called by the test's own goroutine, where the condition runs too.
func Eventually(t testing.TB, what string, within time.Duration, condition func() bool) {
	t.Helper()
	end := time.NewTimer(within)
	defer end.Stop()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-end.C:
			if condition() { // the last look was before the end
				return
			}
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}
