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

// says runs a command of the program in its own environment, and answers what a person sees of it: in the log as it is,
// here with one space for each break, since tables and paragraphs break where the names end.
func (p *labProgram) says(args ...string) string {
	p.t.Helper()
	said := p.runs(args...)
	p.t.Logf("$ staffeln %s\n%s", strings.Join(args, " "), said)
	require.NotContains(p.t, said, "\x1b", "no colours without a terminal")
	for line := range strings.SplitSeq(said, "\n") {
		require.LessOrEqual(p.t, utf8.RuneCountInString(line), 80, "%q", line)
	}
	return strings.Join(strings.Fields(said), " ")
}

// tells runs it with --json, for programs.
func (p *labProgram) tells(into any, args ...string) {
	p.t.Helper()
	said := p.runs(append(slices.Clone(args), "--json")...)
	require.NoError(p.t, json.Unmarshal([]byte(said), into), said)
	require.NotContains(p.t, said, "[null", said)
}

func (p *labProgram) runs(args ...string) string {
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

// describes asserts that a command's help has a word on every key of its JSON.
func (p *labProgram) describes(args ...string) {
	p.t.Helper()
	var held map[string]any
	p.tells(&held, args...)
	rig.RequireDocumented(p.t, p.runs(append(slices.Clone(args), "--help")...), held)
}

// explains answers both faces of `staffeln explain` at a moment that is as wanted: what a person sees between two looks
// of a program.
func (p *labTerminal) explains(what string, one *labServer, wanted func(labExplained) bool) (seen labExplained, said string) {
	p.t.Helper()
	look := func() (e labExplained) { p.tells(&e, "explain", one.Volumes[0]); return e }
	p.until(one.Name+" is explained: "+what, 2*time.Minute, func() bool {
		if seen = look(); !wanted(seen) {
			return false
		}
		said = p.says("explain", one.Volumes[0])
		return wanted(look())
	})
	return seen, said
}

// labReason is a reason as programs read it.
type labReason struct {
	Code    string `json:"code"`
	MustAct string `json:"must_act"`
}

// labObject names a volume.
type labObject struct {
	VolumeID    string `json:"volume_id"`
	VolumeName  string `json:"volume_name"`
	ServerName  string `json:"server_name"`
	ProjectName string `json:"project_name"`
}

// labGoing is a backup that goes or stays.
type labGoing struct {
	labObject
	At     *time.Time `json:"at"`
	Reason labReason  `json:"reason"`
	Last   bool       `json:"last_restore_point"`
}

// labExplained is what the test reads of `staffeln explain --json`.
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
	Going []labGoing
}

// labStatus is what the test reads of `staffeln status --json`.
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
		Beats []struct{ Late bool }
	}
	Warnings []string
}

// policy answers a part of the policy: its value, and where it comes from.
func (e labExplained) policy(name string) string {
	for _, part := range e.Policy {
		if part.Name == name {
			return part.Value + " by " + part.Source
		}
	}
	return ""
}
