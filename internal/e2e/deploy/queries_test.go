package deploy

import (
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
)

// ofOthers are metrics that are not on docs/metrics.md, with their labels beside those of the target: Prometheus' own, those of the Go runtime, and
// what the rules record.
var ofOthers = map[string][]string{
	"up": nil, "process_start_time_seconds": nil, "process_resident_memory_bytes": nil, "process_cpu_seconds_total": nil,
	"staffeln:record_transitions:increase1h": {"to", "reason", "owner"},
}

// targetLabels are those that Prometheus adds to every metric.
var targetLabels = []string{"job", "instance"}

// checkQuery parses a query and checks that it uses only metrics and labels that exist.
func checkQuery(t *testing.T, documented map[string]rig.DocumentedMetric, query string) {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	require.NoError(t, err, query)
	grouping := slices.Clone(targetLabels)
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		allowed, exists := labelsIn(documented, selector.Name)
		require.True(t, exists, "%s: docs/metrics.md has no %s", query, selector.Name)
		for _, matcher := range selector.LabelMatchers {
			assert.Contains(t, append(allowed, "__name__"), matcher.Name, "%s: label of %s", query, selector.Name)
		}
		grouping = append(grouping, allowed...)
		return nil
	})
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if by, ok := node.(*parser.AggregateExpr); ok {
			assert.Subset(t, grouping, by.Grouping, query)
		}
		return nil
	})
}

// labelsIn returns the labels that a metric can have, and whether it exists. A histogram is three metrics.
func labelsIn(documented map[string]rig.DocumentedMetric, name string) (allowed []string, exists bool) {
	if own, ok := ofOthers[name]; ok {
		return slices.Concat(targetLabels, own), true
	}
	row, ok := documented[name]
	for _, part := range []string{"_bucket", "_sum", "_count"} {
		if base, cut := strings.CutSuffix(name, part); cut && documented[base].Type == "histogram" {
			return slices.Concat(targetLabels, documented[base].Labels, []string{"le"}), true
		}
	}
	return slices.Concat(targetLabels, row.Labels), ok && row.Type != "histogram"
}
