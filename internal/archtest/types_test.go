package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// maxPackages is in how many packages of the product a type name may occur. A name in more packages has several meanings, or
// one meaning is defined several times.
const maxPackages = 2

// acceptedTypes are names that occur in more packages: in how many, and why. The numbers may only fall.
var acceptedTypes = map[string]struct {
	packages int
	reason   string
}{
	"Config": {8, "what a package is configured with; it is read with the package's name"},
	"Cloud":  {3, "the client, and the rights that each consumer needs of it"},
}

// outsideProduct are the folders of the simulation and of test code (.ci/size.awk has the same list).
var outsideProduct = []string{
	"cmd/staffeln-sim/", "internal/archtest/", "internal/chaos/", "internal/cloudsim/", "internal/e2e/", "internal/evidence/",
	"internal/inprocess/", "internal/queuemodel/", "internal/simulation/", "internal/testkit/",
}

func TestTypeNamesHaveOneMeaning(t *testing.T) {
	packages := map[string]map[string]bool{} // key: name of a type
	for _, name := range ourFiles(t) {
		beside := slices.ContainsFunc(outsideProduct, func(folder string) bool { return strings.HasPrefix(name, folder) })
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || beside {
			continue
		}
		for _, of := range typesIn(t, name) {
			if packages[of] == nil {
				packages[of] = map[string]bool{}
			}
			packages[of][path.Dir(name)] = true
		}
	}
	for name, in := range packages {
		allowed := acceptedTypes[name]
		if n := len(in); n > maxPackages || allowed.packages > 0 {
			assert.Equal(t, allowed.packages, n, "type %s is in %v: rename or merge them; if there are fewer now, correct acceptedTypes", name, slices.Sorted(maps.Keys(in)))
		}
	}
	for name, allowed := range acceptedTypes {
		assert.Greater(t, allowed.packages, maxPackages, "%s needs no reason: take it off acceptedTypes", name)
		assert.NotEmpty(t, allowed.reason, name)
		assert.Contains(t, packages, name, "no such type: take it off acceptedTypes")
	}
}

// typesIn returns the names of the types that a file declares for its package.
func typesIn(t *testing.T, name string) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	for _, d := range file.Decls {
		if d, is := d.(*ast.GenDecl); is && d.Tok == token.TYPE {
			for _, s := range d.Specs {
				if s, is := s.(*ast.TypeSpec); is {
					names = append(names, s.Name.Name)
				}
			}
		}
	}
	return names
}
