package backup

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every declared constant of type Reason has an entry, so that a new one can't be forgotten.
func TestReasonsAreClosed(t *testing.T) {
	declared := constants(t, "Reason")
	require.Greater(t, len(declared), 50)
	codes := map[string]string{}
	for name, code := range declared {
		r := Reason(code)
		require.True(t, r.Known(), "%s has no entry", name)
		require.Regexp(t, `^[a-z]+(_[a-z]+)*$`, code, name)
		require.Empty(t, codes[code], "%s and %s share a code", name, codes[code])
		codes[code] = name
		sentence := r.Sentence()
		require.Regexp(t, `^[A-Z].*[^.]\.$`, sentence, name)
		require.NotContains(t, sentence, "  ", name)
		require.Contains(t, []Owner{Tenant, Operator, Nobody}, r.Whose(), name)
	}
	all := Reasons()
	require.Len(t, all, len(declared), "an entry without a constant")
	sentences := map[string]bool{}
	for _, r := range all {
		require.Contains(t, codes, string(r))
		require.False(t, sentences[r.Sentence()], "two reasons have the sentence: %s", r.Sentence())
		sentences[r.Sentence()] = true
	}
}

func TestReasonUnknown(t *testing.T) {
	for _, r := range []Reason{"", "made_up", "First_Backup"} {
		require.False(t, r.Known())
		require.Empty(t, r.Sentence())
		require.Empty(t, r.Whose())
	}
}

// The other closed sets: no value twice, and States lists all states.
func TestConstantsAreUnique(t *testing.T) {
	for _, name := range []string{"State", "Meaning", "Status", "Owner", "Action", "Kind"} {
		found, seen := constants(t, name), map[string]string{}
		require.NotEmpty(t, found, name)
		for n, word := range found {
			require.Empty(t, seen[word], "%s and %s are one word", n, seen[word])
			seen[word] = n
		}
		if name == "State" {
			require.Len(t, States, len(found))
		}
	}
}

// constants parses the package's source: name and value of each constant of a type.
func constants(t *testing.T, typ string) map[string]string {
	t.Helper()
	found := map[string]string{}
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				c, _ := spec.(*ast.ValueSpec)
				if id, ok := c.Type.(*ast.Ident); ok && id.Name == typ {
					lit, ok := c.Values[0].(*ast.BasicLit)
					require.True(t, ok, "%s is no plain text", c.Names[0].Name)
					found[c.Names[0].Name], err = strconv.Unquote(lit.Value)
					require.NoError(t, err)
				}
			}
		}
	}
	return found
}
