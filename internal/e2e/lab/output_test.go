//go:build openstack

package lab

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
)

// text runs a command of the program in its own environment and returns its output: unchanged in the log, but returned with
// single spaces, because the line breaks depend on the length of names.
func (p *labProgram) text(args ...string) string {
	p.t.Helper()
	output := p.output(args...)
	p.t.Logf("$ staffeln %s\n%s", strings.Join(args, " "), output)
	require.NotContains(p.t, output, "\x1b", "no colours without a terminal")
	for line := range strings.SplitSeq(output, "\n") {
		require.LessOrEqual(p.t, utf8.RuneCountInString(line), 80, "%q", line)
	}
	return strings.Join(strings.Fields(output), " ")
}

// readJSON runs a command with --json.
func (p *labProgram) readJSON(into any, args ...string) {
	p.t.Helper()
	output := p.output(append(slices.Clone(args), "--json")...)
	require.NoError(p.t, json.Unmarshal([]byte(output), into), output)
	require.NotContains(p.t, output, "[null", output)
}

func (p *labProgram) output(args ...string) string {
	p.t.Helper()
	cmd := exec.CommandContext(p.ctx(), rig.Program(p.t), args...)
	cmd.Env = []string{"HOME=" + p.t.TempDir()}
	for name, value := range p.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var out, fault bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &fault
	require.NoError(p.t, cmd.Run(), "staffeln %v: %s", args, &fault)
	require.Empty(p.t, fault.String())
	return out.String()
}

// requireDocumented asserts that the help of a command describes every key of its JSON.
func (p *labProgram) requireDocumented(args ...string) {
	p.t.Helper()
	var held map[string]any
	p.readJSON(&held, args...)
	rig.RequireDocumented(p.t, p.output(append(slices.Clone(args), "--help")...), held)
}
