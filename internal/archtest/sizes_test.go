package archtest

import (
	"bytes"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Limits of the lines per file; longer files need a reason in the list.
const (
	shortest, longest = 40, 250
	sizeList          = "testdata/sizes.txt"
)

func TestFilesOfCodeKeepToSizeLimits(t *testing.T) {
	accepted := acceptedSizes(t)
	for _, name := range ourFiles(t) {
		// A doc.go contains only the documentation of its package.
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || path.Base(name) == "doc.go" {
			continue
		}
		lines := bytes.Count(read(t, name), []byte("\n"))
		reason, listed := accepted[name]
		delete(accepted, name)
		if lines >= shortest && lines <= longest {
			assert.False(t, listed, "%s has %d lines: take it off %s", name, lines, sizeList)
			continue
		}
		assert.NotEmpty(t, reason, "%s has %d lines, and no reason in %s: join it with another file, or split it", name, lines, sizeList)
	}
	assert.Empty(t, accepted, "no such files: take them off %s", sizeList)
}

// acceptedSizes reads the list: a file and its reason per line. The list may only shrink.
func acceptedSizes(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(sizeList)
	require.NoError(t, err)
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, reason, _ := strings.Cut(line, " ")
		all[name] = strings.TrimSpace(reason)
	}
	return all
}
