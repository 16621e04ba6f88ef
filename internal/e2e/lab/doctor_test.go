//go:build openstack

package lab

import (
	"encoding/json"
	"strings"

	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
)

// labDoctor is what `staffeln doctor` found, by check, each as "severity: text".
type labDoctor map[string][]string

// doctor runs it for people, whose text goes into the log, and for programs. The test's own Postgres and Redis are not
// made to keep anything, which it rightly calls errors: so it ends with 4 whatever else it finds.
func (p *labProgram) doctor(when string) labDoctor {
	p.t.Helper()
	said, code := rig.Output(p.t, p.env, "doctor")
	p.t.Logf("%s: $ staffeln doctor\n%s", when, said)
	require.Equal(p.t, 4, code, "exit code of doctor")
	said, _ = rig.Output(p.t, p.env, "doctor", "--json")
	var held struct {
		Findings []struct{ Check, Severity, Text, Do string }
	}
	require.NoError(p.t, json.NewDecoder(strings.NewReader(said)).Decode(&held), said)
	found := labDoctor{}
	for _, f := range held.Findings {
		require.True(p.t, f.Do != "" || f.Severity == "ok" || f.Severity == "unknown", "%s: what is to be done? %s", f.Check, f.Text)
		found[f.Check] = append(found[f.Check], f.Severity+": "+f.Text)
	}
	return found
}

// well asserts that nothing is wrong with the cloud, the projects and the records, and that somebody leads: beats as short
// as a test's may be late on a busy machine.
func (d labDoctor) well(p *labProgram) {
	p.t.Helper()
	for _, check := range []string{"cloud", "projects", "invariants"} {
		require.NotEmpty(p.t, d[check], check)
		for _, text := range d[check] {
			require.True(p.t, strings.HasPrefix(text, "ok: "), "%s: %s", check, text)
		}
	}
	require.False(p.t, d.has("scheduler", "No scheduler leads"), "%v", d["scheduler"])
}

// has tells whether a finding of a check has these words.
func (d labDoctor) has(check, words string) bool {
	return strings.Contains(strings.Join(d[check], "\n"), words)
}
