package oracle

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Who shares a rule with the product shares its mistake: of ours the oracle knows the simulated cloud only, which knows
// nothing of ours itself.
func TestTheOracleKnowsNothingOfTheProduct(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, one := range file.Imports {
			path, err := strconv.Unquote(one.Path.Value)
			require.NoError(t, err)
			if strings.HasPrefix(path, "staffeln/") {
				require.Equal(t, "staffeln/internal/cloudsim", path, "%s imports it", name)
			}
		}
	}
}
