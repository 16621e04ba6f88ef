package deploy

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
	"staffeln/internal/telemetry"
	"staffeln/tasks"
)

var described = regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: "(.*)", constLabels: \{\}, variableLabels: \{([^}]*)\}\}$`)

// metricsOf returns the metrics that a process can show, each with its labels.
func metricsOf(t *testing.T, process string) map[string][]string {
	t.Helper()
	registry := telemetry.NewMetrics(process).Registry
	if process == "scheduler" || process == "all" {
		require.NoError(t, registry.Register(tasks.NewCollector(nil)))
	}
	descriptions := make(chan *prometheus.Desc)
	go func() { registry.Describe(descriptions); close(descriptions) }()
	found := map[string][]string{}
	for d := range descriptions {
		parts := described.FindStringSubmatch(d.String())
		if strings.Contains(d.String(), `fqName: "go_`) || strings.Contains(d.String(), `fqName: "process_`) {
			continue
		}
		require.NotNil(t, parts, d.String())
		require.NotEmpty(t, parts[2], "help of %s", parts[1])
		var labels []string
		if parts[3] != "" {
			labels = strings.Split(parts[3], ",")
		}
		found[parts[1]] = labels
	}
	return found
}

// docs/metrics.md has every metric of every process with its labels, and no other.
func TestMetricsPageListsTheMetricsOfEachProcess(t *testing.T) {
	documented := rig.DocumentedMetrics(t)
	for _, process := range []string{"scheduler", "worker", "api", "all"} {
		shown := metricsOf(t, process)
		for name, labels := range shown {
			row, ok := documented[name]
			require.True(t, ok, "docs/metrics.md has no row for %s of the %s", name, process)
			assert.Equal(t, labels, row.Labels, "docs/metrics.md: labels of %s", name)
			assert.Contains(t, row.Processes, process, "docs/metrics.md: section of %s", name)
		}
		for name, row := range documented {
			if slices.Contains(row.Processes, process) {
				assert.Contains(t, shown, name, "docs/metrics.md has it in a section of the %s", process)
			}
		}
	}
}
