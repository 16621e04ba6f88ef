package archtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/invariants"
)

// The runbook has every reason, every invariant, and every code for what a volume waits for: people search it for the code.
func TestRunbookHasEveryCode(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	require.NoError(t, err)
	for _, r := range backup.Reasons() {
		require.Contains(t, string(text), "`"+string(r)+"`", "%s: %s", r, r.Sentence())
	}
	for _, code := range backup.WaitCodes() {
		require.Contains(t, string(text), "`"+string(code)+"`", code)
	}
	for _, name := range invariants.Always {
		require.Contains(t, string(text), "`"+string(name)+"`")
	}
}
