//go:build faults

package crash

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryCrashPoint does the same at every crash point, or at those of one part: CRASH_PART=2/4 is the second of four parts.
func TestEveryCrashPoint(t *testing.T) {
	suite := newCrashSuite(t, 24)
	suite.requireReached(t)
	points := suite.points()
	part, parts := crashPart(t)
	var chosen []crashPoint
	for i, p := range points {
		if i%parts == part-1 {
			chosen = append(chosen, p)
		}
	}
	t.Logf("part %d of %d: %d of %d points", part, parts, len(chosen), len(points))
	suite.killAt(t, chosen)
}

func crashPart(t *testing.T) (part, parts int) {
	t.Helper()
	text := os.Getenv("CRASH_PART")
	if text == "" {
		return 1, 1
	}
	_, err := fmt.Sscanf(text, "%d/%d", &part, &parts)
	require.NoError(t, err, "read CRASH_PART: want such as 2/4")
	require.True(t, 1 <= part && part <= parts, "read CRASH_PART: %s: want such as 2/4", text)
	return part, parts
}
