package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// outsideTable are packages without a row, and why they need none.
var outsideTable = []string{
	module + "/internal/", // telemetry, testkit and the tests of the code base
}

func TestImportsFollowTable(t *testing.T) {
	rules := importTable(t)
	for path, imports := range importsOfOurPackages(t) {
		rule, ok := ruleOf(rules, path)
		if !ok {
			beside := slices.ContainsFunc(outsideTable, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
			assert.True(t, beside, "package %s is in no row of the table in %s", path, architecture)
			continue
		}
		for _, imported := range imports {
			assert.NoError(t, rule.admits(rules, imported), "package %s", path)
		}
	}
}

// admits returns an error if the package must not import imported.
func (r packageRule) admits(rules []packageRule, imported string) error {
	target, hasRule := ruleOf(rules, imported)
	switch {
	case hasRule && target.name == r.name:
		return nil
	case hasRule && target.notImported:
		return fmt.Errorf("imports %s: nobody may", imported)
	case slices.ContainsFunc(r.never, func(denied string) bool { return imported == denied || isLibrary(denied) && within(imported, denied) }):
		return fmt.Errorf("imports %s: package %s never does", imported, r.name)
	case r.everything:
		return nil
	case hasRule && !slices.Contains(r.allowed, target.path()):
		return fmt.Errorf("imports %s: not among what package %s may import of ours", imported, r.name)
	case hasRule, isStandard(imported):
		return nil
	case !slices.ContainsFunc(r.allowed, func(allowed string) bool { return within(imported, allowed) }):
		return fmt.Errorf("imports %s: not among what package %s may import", imported, r.name)
	}
	return nil
}

// importsOfOurPackages returns the imports of each package of both modules, without its tests.
func importsOfOurPackages(t *testing.T) map[string][]string {
	t.Helper()
	out := goList(t, root, "-e", "-json=ImportPath,Imports", "./...", "./"+tests+"/...")
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
	require.Contains(t, found, module+"/"+tests+"/rig")
	return found
}

// ruleOf returns the rule for a package: the one with the longest matching path.
func ruleOf(rules []packageRule, path string) (found packageRule, ok bool) {
	for _, r := range rules {
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
