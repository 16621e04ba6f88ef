package archtest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// developersPath matches an absolute path that exists only on a developer's machine.
var developersPath = regexp.MustCompile(`(^|[^A-Za-z0-9_.~}/-])/(wor` + `k|roo` + `t|hom` + `e/[a-z]+|User` + `s/[A-Za-z]+)/`)

func TestNoFileContainsPathOfDevelopersMachine(t *testing.T) {
	for _, name := range ourFiles(t) {
		text := read(t, name)
		if bytes.IndexByte(text, 0) >= 0 {
			continue // not text
		}
		for number, line := range bytes.Split(text, []byte("\n")) {
			assert.NotRegexp(t, developersPath, string(line), "%s:%d", name, number+1)
		}
	}
}

func TestPathsOfDevelopersMachinesAreRecognised(t *testing.T) {
	t.Parallel()
	for text, bad := range map[string]bool{
		"cd /wor" + "k/main":                 true,
		`"/roo` + `t/.cache"`:                true,
		"/hom" + "e/someone/x":               true,
		"${base-path}/worker/**":             false,
		"a framework/worker":                 false,
		"https://example.org/wor" + "k/main": false,
		"./wor" + "k/main":                   false,
		"/var/lib/staffeln/":                 false,
	} {
		assert.Equal(t, bad, developersPath.MatchString(text), text)
	}
}

// maxFileBytes is more than twelve times our largest file. What is larger is most likely a built program.
const maxFileBytes = 1 << 20

func TestNoFileIsLarge(t *testing.T) {
	for _, name := range ourFiles(t) {
		info, err := os.Lstat(filepath.Join(root, name))
		require.NoError(t, err)
		assert.Less(t, info.Size(), int64(maxFileBytes), name)
	}
}

// ourFiles returns the files that git tracks or would track.
func ourFiles(t *testing.T) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "git ls-files: %s", &stderr)
	var names []string
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if _, err := os.Lstat(filepath.Join(root, name)); err == nil { // else removed, but not committed
			names = append(names, name)
		}
	}
	require.NotEmpty(t, names)
	return names
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	path := filepath.Join(root, name)
	info, err := os.Lstat(path)
	require.NoError(t, err)
	if !info.Mode().IsRegular() {
		return nil
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return text
}
