package archtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/invariants"
)

// The runbook has every reason that needs an operator, and every invariant.
func TestRunbookHasEveryReasonThatNeedsOperator(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	require.NoError(t, err)
	for _, r := range backup.Reasons() {
		if r.Whose() != backup.Nobody {
			require.Contains(t, string(text), "`"+string(r)+"`", "%s: %s", r, r.Sentence())
		}
	}
	for _, name := range invariants.Always {
		require.Contains(t, string(text), "`"+string(name)+"`")
	}
}
