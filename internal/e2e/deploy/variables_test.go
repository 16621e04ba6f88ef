package deploy

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	composeFile  = "docker-compose.yml"
	manifestFile = "deploy/kubernetes/staffeln.yaml"
	imageFile    = "deploy/Dockerfile"
	exampleFile  = ".env.example"
)

var unitFiles = []string{
	"deploy/systemd/staffeln-migrate.service", "deploy/systemd/staffeln-scheduler@.service",
	"deploy/systemd/staffeln-worker@.service", "deploy/systemd/staffeln-api.service",
}

var ours = regexp.MustCompile(`\bSTAFFELN_[A-Z0-9_]*[A-Z0-9]\b`)

// documented is a variable as docs/configuration.md documents it.
type documented struct {
	fallback string // "required", "none", or the default
	secret   bool
	readBy   []string // names of processes
}

func configuration(t *testing.T) map[string]documented {
	t.Helper()
	found := map[string]documented{}
	for line := range strings.Lines(string(read(t, "docs/configuration.md"))) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if name := strings.Trim(cells[0], " `"); len(cells) >= 5 && ours.MatchString(name) {
			readers := strings.ReplaceAll(strings.TrimSpace(cells[len(cells)-1]), " (optional)", "") // our files set it nevertheless
			found[name] = documented{strings.Trim(cells[1], "`"), strings.Contains(cells[2], "(a secret)"), strings.Split(readers, ", ")}
		}
	}
	require.Contains(t, found, "STAFFELN_DATABASE_URL")
	return found
}

// known reports whether the variable exists. Only secrets have a second name with _FILE.
func known(variables map[string]documented, name string) bool {
	if _, ok := variables[name]; ok || name == "STAFFELN_ENV_FILE" { // which is read before the others, and in the page's text
		return true
	}
	secret, isFile := strings.CutSuffix(name, "_FILE")
	return isFile && variables[secret].secret
}

func TestDeployUsesOnlyExistingVariables(t *testing.T) {
	variables := configuration(t)
	for _, file := range append([]string{composeFile, manifestFile, chart + "/values.yaml", imageFile, exampleFile, "docs/running.md"}, unitFiles...) {
		for _, name := range ours.FindAllString(string(read(t, file)), -1) {
			assert.True(t, known(variables, name), "%s names %s, which docs/configuration.md does not have", file, name)
		}
	}
}

func TestDeployEnvExampleHasEveryVariableWithDefault(t *testing.T) {
	written := map[string]string{}
	lines := strings.Split(string(read(t, exampleFile)), "\n")
	for number, line := range lines {
		name, value, set := strings.Cut(strings.TrimPrefix(line, "#"), "=")
		if !set || !ours.MatchString(name) || strings.Contains(name, " ") {
			continue
		}
		assert.NotContains(t, written, name, "%s: twice", exampleFile)
		assert.True(t, strings.HasPrefix(line, "#"), "%s sets %s: a copy of it must begin with the defaults", exampleFile, name)
		assert.True(t, strings.HasPrefix(lines[number-1], "# "), "%s: no sentence above %s", exampleFile, name)
		written[name] = value
	}
	variables := configuration(t)
	for name, v := range variables {
		value, ok := written[name]
		if assert.True(t, ok, "%s lacks %s: add it with a sentence and its default", exampleFile, name) && v.fallback != "required" {
			assert.Equal(t, strings.TrimPrefix(v.fallback, "none"), value, "default of %s in %s; an example belongs in the sentence", name, exampleFile)
		}
	}
	for name := range written {
		assert.Contains(t, variables, name, "%s: no such variable", exampleFile)
	}
}
