package deploy

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit/private"
)

const (
	rulesFile     = "deploy/prometheus/staffeln.rules.yml"
	rulesTestFile = "deploy/prometheus/staffeln.rules.test.yml"
)

type alertRule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

func alertRules(t *testing.T) (rules []alertRule) {
	t.Helper()
	var file struct{ Groups []struct{ Rules []alertRule } }
	require.NoError(t, yaml.Unmarshal(read(t, rulesFile), &file))
	for _, group := range file.Groups {
		rules = append(rules, group.Rules...)
	}
	require.NotEmpty(t, rules)
	return rules
}

// Each alert uses documented metrics, waits, has a severity and a section of its own in the runbook; the runbook has no section of another one.
func TestAlertsAreInTheRunbook(t *testing.T) {
	documented, runbook := rig.DocumentedMetrics(t), string(read(t, "docs/operations.md"))
	tests := string(read(t, rulesTestFile))
	names := map[string]bool{}
	for _, rule := range alertRules(t) {
		checkQuery(t, documented, rule.Expr)
		if rule.Alert == "" {
			assert.Contains(t, ofOthers, rule.Record)
			continue
		}
		names[rule.Alert] = true
		assert.Contains(t, []string{"critical", "warning"}, rule.Labels["severity"], rule.Alert)
		assert.NotEmpty(t, rule.For, rule.Alert)
		assert.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
		assert.Equal(t, "docs/operations.md#"+strings.ToLower(rule.Alert), rule.Annotations["runbook"], rule.Alert)
		assert.Contains(t, runbook, "\n### "+rule.Alert+"\n\n", "docs/operations.md")
		assert.Contains(t, tests, `alertname="`+rule.Alert+`"`, "%s never fires in %s", rule.Alert, rulesTestFile)
	}
	for _, heading := range regexp.MustCompile(`(?m)^### (Staffeln[A-Za-z]+)$`).FindAllStringSubmatch(runbook, -1) {
		assert.Contains(t, names, heading[1], "docs/operations.md has a section of it")
	}
}

func TestAlertsFireWhenTheyShould(t *testing.T) {
	promtool, err := private.FindPromtool()
	require.NoError(t, err)
	for _, arguments := range [][]string{{"check", "rules", rulesFile}, {"test", "rules", rulesTestFile}} {
		cmd := exec.CommandContext(t.Context(), promtool, arguments...)
		cmd.Dir = repository
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "promtool %s: %s", strings.Join(arguments, " "), out)
	}
}
