//go:build faults

package e2e

import "testing"

// The same at every point.
func TestEveryCrashPoint(t *testing.T) {
	suite := newCrashSuite(t, 24)
	suite.crossed(t)
	suite.die(t, suite.points())
}
