package rig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// DocumentedMetric is a row of docs/metrics.md.
type DocumentedMetric struct {
	Type      string
	Labels    []string
	Processes []string // that show it
	Row       string
}

// metricSections are the sections of docs/metrics.md, with the processes whose metrics they have.
var metricSections = map[string][]string{
	"Every process":        {"scheduler", "worker", "api", "all"},
	"Scheduler and worker": {"scheduler", "worker", "all"},
	"Scheduler":            {"scheduler", "all"},
	"Worker":               {"worker", "all"},
	"API":                  {"api", "all"},
}

// DocumentedMetrics reads docs/metrics.md.
func DocumentedMetrics(t testing.TB) map[string]DocumentedMetric {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Repository(t), "docs", "metrics.md"))
	require.NoError(t, err)
	found := map[string]DocumentedMetric{}
	var processes []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if title, ok := strings.CutPrefix(line, "## "); ok {
			processes = metricSections[title]
			require.NotEmpty(t, processes, "docs/metrics.md: %s", title)
		}
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(line, "|")
		require.Len(t, cells, 8, "docs/metrics.md: want six cells: %s", line)
		name := strings.Trim(cells[1], " `")
		require.NotContains(t, found, name, "docs/metrics.md has it twice")
		found[name] = DocumentedMetric{Type: strings.TrimSpace(cells[2]), Labels: labelsOf(cells[4]), Processes: processes, Row: line}
	}
	return found
}

// labelsOf returns the labels of a cell: one for each line, which begins with it.
func labelsOf(cell string) (labels []string) {
	if strings.TrimSpace(cell) == "" {
		return nil
	}
	for part := range strings.SplitSeq(cell, "<br>") {
		_, rest, _ := strings.Cut(part, "`")
		label, _, _ := strings.Cut(rest, "`")
		labels = append(labels, label)
	}
	return labels
}
