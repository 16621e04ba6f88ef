//go:build openstack

package lab

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"time"
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

// explain returns both outputs of `staffeln explain`, JSON and text, from a moment when the JSON is as wanted, before and
// after the text is read.
func (p *labTerminal) explain(what string, one *labServer, wanted func(labExplained) bool) (seen labExplained, output string) {
	p.t.Helper()
	look := func() (e labExplained) { p.readJSON(&e, "explain", one.Volumes[0]); return e }
	p.until(one.Name+" is explained: "+what, 2*time.Minute, func() bool {
		if seen = look(); !wanted(seen) {
			return false
		}
		output = p.text("explain", one.Volumes[0])
		return wanted(look())
	})
	return seen, output
}

// labReason is a reason in JSON.
type labReason struct {
	Code    string `json:"code"`
	MustAct string `json:"must_act"`
}

// labObject identifies a volume.
type labObject struct {
	VolumeID    string `json:"volume_id"`
	VolumeName  string `json:"volume_name"`
	ServerName  string `json:"server_name"`
	ProjectName string `json:"project_name"`
}

// labExpiring is an expiring or retained backup.
type labExpiring struct {
	labObject
	At     *time.Time `json:"at"`
	Reason labReason  `json:"reason"`
	Last   bool       `json:"last_restore_point"`
}

// labExplained contains the parts of `staffeln explain --json` that the test reads.
type labExplained struct {
	labObject
	At         time.Time `json:"at"`
	Warnings   []string  `json:"warnings"`
	Status     string    `json:"status"`
	Protection string    `json:"protection"`
	Policy     []struct{ Name, Value, Source string }
	Chains     []struct {
		Drawing string
		Links   []struct {
			Kind, State string
			Expires     time.Time `json:"expires_at"`
			Why         labReason
		}
	}
	Last struct {
		At     time.Time
		Action string
		Reason labReason
	} `json:"last_decision"`
	Now struct {
		Action, Kind string
		Reason       labReason
	}
	Ahead *struct {
		At           time.Time
		Action, Kind string
		Reason       labReason
	}
	WaitsFor []string `json:"waits_for"`
	Failure  *struct {
		Reason    labReason
		Text      string
		RequestID string `json:"request_id"`
	}
	Expiring []labExpiring
}

// labStatus contains the parts of `staffeln status --json` that the test reads.
type labStatus struct {
	Volumes struct{ Protected, Late, Waiting, Unprotected, Unknown, Gone int }
	Listed  []struct {
		labObject
		Protection string
	} `json:"listed_volumes"`
	Failures []struct {
		labObject
		Reason labReason
	}
	Leader struct {
		Leads bool
		Runs  []struct{ Late bool }
	}
	Warnings []string
}

// policy returns a part of the policy: its value and its source.
func (e labExplained) policy(name string) string {
	for _, part := range e.Policy {
		if part.Name == name {
			return part.Value + " by " + part.Source
		}
	}
	return ""
}
