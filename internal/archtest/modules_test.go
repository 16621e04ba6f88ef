package archtest

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tests is the folder of the second module (go.work).
const tests = "internal/e2e"

// In the workspace a package may import what only the other module requires, and of a module that both require it gets the
// newer version. The image is built without the workspace, and must have the versions that were tested.
func TestModulesNeedNoWorkspace(t *testing.T) {
	versions := []string{"-deps", "-test", "-tags=openstack,browser,faults", "-f={{.ImportPath}}{{with .Module}} {{.Version}}{{end}}", "./..."}
	joined := goList(t, root, versions...)
	t.Setenv("GOWORK", "off")
	assert.Equal(t, string(joined), string(goList(t, root, versions...)), "require in go.mod what %s/go.mod requires", tests)
	goList(t, filepath.Join(root, tests), versions...)
}

// goList returns what `go list` prints in a folder.
func goList(t *testing.T, folder string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	cmd.Dir = folder
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "go list: %s", &stderr)
	return out
}
