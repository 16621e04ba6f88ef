package archtest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	root         = "../.." // of the repository
	module       = "staffeln"
	architecture = "docs/architecture.md"
	heading      = "## The import table"
)

// modules maps the table's words for third-party modules to import paths.
var modules = map[string]string{
	"asynq":            "github.com/hibiken/asynq",
	"asynqmon":         "github.com/hibiken/asynqmon",
	"cobra":            "github.com/spf13/cobra",
	"echo":             "github.com/labstack/echo/v4",
	"envconfig":        "github.com/kelseyhightower/envconfig",
	"go-pretty":        "github.com/jedib0t/go-pretty/v6",
	"go-redis":         "github.com/redis/go-redis/v9",
	"golang-lru":       "github.com/hashicorp/golang-lru/v2",
	"goose":            "github.com/pressly/goose/v3",
	"gophercloud":      "github.com/gophercloud/gophercloud/v2",
	"gophercloud v2":   "github.com/gophercloud/gophercloud/v2",
	"pgx":              "github.com/jackc/pgx/v5",
	"prometheus":       "github.com/prometheus/client_golang",
	"the mail library": "github.com/wneessen/go-mail",
	"x/sync":           "golang.org/x/sync",
	"x/term":           "golang.org/x/term",
	"x/time":           "golang.org/x/time",
	"zerolog":          "github.com/rs/zerolog",
}

// standard maps the table's words for parts of the standard library to import paths.
var standard = map[string][]string{
	"context": {"context"},
	"rand":    {"crypto/rand", "math/rand", "math/rand/v2"},
	"log":     {"log", "log/slog"},
	"os":      {"os", "os/exec", "os/signal"},
	"any I/O": {"database/sql", "net", "net/http", "syscall"},
	// A function, not a package: forbidigo checks it everywhere.
	"time.Now": nil,
}

// packageRule is one row of the table, as far as it is about imports.
type packageRule struct {
	name        string
	everything  bool     // may import everything
	notImported bool     // must not be imported
	allowed     []string // import paths, in addition to the standard library and the package itself
	never       []string
}

func (r packageRule) path() string { return module + "/" + r.name }

// importTable reads the table of docs/architecture.md.
func importTable(t *testing.T) []packageRule {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, architecture))
	require.NoError(t, err, "the import table is in "+architecture)
	rules, err := parseTable(string(text))
	require.NoError(t, err, "%s, %q", architecture, heading)
	return rules
}

func parseTable(text string) ([]packageRule, error) {
	_, section, found := strings.Cut(text, heading+"\n")
	if !found {
		return nil, fmt.Errorf("no heading %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var rows [][]string
	var names []string // names of all rows
	for line := range strings.Lines(section) {
		cells := cellsOf(line)
		if len(cells) != 4 || cells[0] == "package" || strings.HasPrefix(cells[0], "-") {
			continue
		}
		rows = append(rows, cells)
		names = append(names, wordsOf(cells[0])...)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("no table of four columns under %q", heading)
	}
	var rules []packageRule
	for i, cells := range rows {
		if cells[3] == "the same" && i > 0 {
			cells[3] = rows[i-1][3]
		}
		for _, name := range wordsOf(cells[0]) {
			r, err := readRow(name, cells, names)
			if err != nil {
				return nil, fmt.Errorf("row %s: %w", cells[0], err)
			}
			rules = append(rules, r)
		}
	}
	return rules, nil
}

// cellsOf returns the cells of a row without code marks and text in brackets.
func cellsOf(line string) []string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") {
		return nil
	}
	var cells []string
	for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
		cell, _, _ = strings.Cut(strings.ReplaceAll(cell, "`", ""), " (")
		cells = append(cells, strings.TrimSuffix(strings.TrimSpace(cell), "/"))
	}
	return cells
}

func readRow(name string, cells, names []string) (packageRule, error) {
	r := packageRule{name: name, everything: cells[1] == "everything"}
	if !r.everything {
		for _, word := range wordsOf(cells[1]) {
			r.allowed = append(r.allowed, module+"/"+word)
		}
	}
	for _, word := range wordsOf(cells[2]) {
		path, known := modules[word]
		switch {
		case known:
			r.allowed = append(r.allowed, path)
		case word != "stdlib":
			return packageRule{}, fmt.Errorf("unknown library %q: name its module in modules, in internal/archtest", word)
		}
	}
	for _, word := range wordsOf(cells[3]) {
		path, isModule := modules[word]
		packages, isPart := standard[word]
		switch {
		case word == "be imported":
			r.notImported = true
		case word == "anything of ours":
			r.never = append(r.never, module)
		case isModule:
			r.never = append(r.never, path)
		case isPart:
			r.never = append(r.never, packages...)
		case slices.Contains(names, word):
			r.never = append(r.never, module+"/"+word)
		default:
			return packageRule{}, fmt.Errorf("unknown word %q under never: define it in internal/archtest", word)
		}
	}
	return r, nil
}

// wordsOf returns the items that a cell lists.
func wordsOf(cell string) []string {
	if cell == "" || cell == "–" || cell == "-" || cell == "everything" {
		return nil
	}
	words := strings.Split(cell, ",")
	for i := range words {
		words[i] = strings.TrimSpace(words[i])
	}
	return slices.DeleteFunc(words, func(word string) bool { return word == "" })
}
