package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// besideTheTable are packages without a row, and why they need none.
var besideTheTable = []string{
	module + "/internal/", // telemetry, testkit and the tests of the code base
}

func TestImportsFollowTable(t *testing.T) {
	rooms := importTable(t)
	for path, imports := range importsOfOurPackages(t) {
		lives, ok := roomOf(rooms, path)
		if !ok {
			beside := slices.ContainsFunc(besideTheTable, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
			assert.True(t, beside, "package %s is in no room of the table in %s", path, architecture)
			continue
		}
		for _, imported := range imports {
			assert.NoError(t, lives.admits(rooms, imported), "package %s", path)
		}
	}
}

// admits returns an error if the package must not import imported.
func (r room) admits(rooms []room, imported string) error {
	target, isRoom := roomOf(rooms, imported)
	switch {
	case isRoom && target.name == r.name:
		return nil
	case isRoom && target.nobody:
		return fmt.Errorf("imports %s: nobody may", imported)
	case slices.ContainsFunc(r.never, func(denied string) bool { return imported == denied || isLibrary(denied) && within(imported, denied) }):
		return fmt.Errorf("imports %s: room %s never does", imported, r.name)
	case r.everything:
		return nil
	case isRoom && !slices.Contains(r.allowed, target.path()):
		return fmt.Errorf("imports %s: not among what room %s may import of ours", imported, r.name)
	case isRoom, isStandard(imported):
		return nil
	case !slices.ContainsFunc(r.allowed, func(allowed string) bool { return within(imported, allowed) }):
		return fmt.Errorf("imports %s: not among what room %s may import", imported, r.name)
	}
	return nil
}

// importsOfOurPackages returns the imports of each package, without its tests.
func importsOfOurPackages(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "go list: %s", &stderr)
	found := map[string][]string{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		found[p.ImportPath] = p.Imports
	}
	require.Contains(t, found, module+"/internal/archtest")
	return found
}

// roomOf returns the rule for a package: the one with the longest matching path.
func roomOf(rooms []room, path string) (found room, ok bool) {
	for _, r := range rooms {
		if within(path, r.path()) && len(r.name) > len(found.name) {
			found, ok = r, true
		}
	}
	return found, ok
}

// within reports whether path is other or lies below it.
func within(path, other string) bool {
	return path == other || strings.HasPrefix(path, other+"/")
}

// isLibrary reports whether path is a module or a folder of ours, where a prohibition includes everything below. It is false
// for standard packages.
func isLibrary(path string) bool { return !isStandard(path) }

func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && first != module
}
