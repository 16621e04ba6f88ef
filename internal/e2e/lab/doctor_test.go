//go:build openstack

package lab

import (
	"encoding/json"
	"strings"

	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
)

// labDoctor contains the findings of `staffeln doctor`, by check, each as "severity: text".
type labDoctor map[string][]string

// doctor runs `staffeln doctor` twice: as text, for the log, and as JSON. The exit code is always 4: the test's own Postgres
// and Redis are not durable, which doctor rightly reports as errors.
func (p *labProgram) doctor(when string) labDoctor {
	p.t.Helper()
	output, code := rig.Output(p.t, p.env, "doctor")
	p.t.Logf("%s: $ staffeln doctor\n%s", when, output)
	require.Equal(p.t, 4, code, "exit code of doctor")
	return p.findings()
}

// findings runs `staffeln doctor --json`.
func (p *labProgram) findings() labDoctor {
	p.t.Helper()
	output, _ := rig.Output(p.t, p.env, "doctor", "--json")
	var held struct {
		Findings []struct{ Check, Severity, Text, Do string }
	}
	require.NoError(p.t, json.NewDecoder(strings.NewReader(output)).Decode(&held), output)
	found := labDoctor{}
	for _, f := range held.Findings {
		require.True(p.t, f.Do != "" || f.Severity == "ok" || f.Severity == "unknown", "%s: the finding has no remedy: %s", f.Check, f.Text)
		found[f.Check] = append(found[f.Check], f.Severity+": "+f.Text)
	}
	return found
}

// requireOK asserts that doctor finds nothing wrong with the cloud, the projects and the records, and that a scheduler leads.
// Late runs are allowed: on a machine under load the short periods of a test are not always met.
func (d labDoctor) requireOK(p *labProgram) {
	p.t.Helper()
	for _, check := range []string{"cloud", "projects", "invariants"} {
		require.NotEmpty(p.t, d[check], check)
		for _, text := range d[check] {
			require.True(p.t, strings.HasPrefix(text, "ok: "), "%s: %s", check, text)
		}
	}
	require.False(p.t, d.has("scheduler", "No scheduler leads"), "%v", d["scheduler"])
}

// has reports whether a finding of a check contains these words.
func (d labDoctor) has(check, words string) bool {
	return strings.Contains(strings.Join(d[check], "\n"), words)
}
