//go:build openstack

package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
)

// needDaemons skips a test that stops, freezes and starts the cloud's daemons, on clouds where that is not possible.
func (r *labRun) needDaemons(t *testing.T) {
	t.Helper()
	if os.Getenv("E2E_WITHOUT_DATA") == "true" {
		t.Skip("NOT RUN: faults of the cloud's daemons (E2E_WITHOUT_DATA=true)")
	}
	require.NotEmpty(t, r.home, "the daemons' process IDs are in the laboratory's folder: name that by E2E_LAB_HOME")
	require.NotEmpty(t, os.Getenv("E2E_LAB_COMMANDS"), "the daemons are started again by the laboratory's restart.sh: name its folder by E2E_LAB_COMMANDS")
}

// daemon returns the process ID from one of the laboratory's files.
func (s *labTest) daemon(file string) int {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.home, "run", file+".pid"))
	require.NoError(s.t, err)
	id, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(s.t, err, "process ID of %s", file)
	return id
}

// restartDaemon makes the laboratory start a daemon again, also after it was killed.
func (s *labTest) restartDaemon(name string, env ...string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.ctx(), filepath.Join(os.Getenv("E2E_LAB_COMMANDS"), "restart.sh"), name)
	cmd.Env = append(append(os.Environ(), "LAB_HOME="+s.home), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(s.t, err, "restart %s: %s", name, out)
}

// killsCinderBackup kills cinder-backup during a backup, waits until Cinder and doctor report it as down, and starts it again.
func (p *labTroubles) killsCinderBackup() {
	p.t.Helper()
	back := p.knob("backup_delay", "15")
	p.until("cinder-backup makes a backup", 2*time.Minute, func() bool {
		p.watch()
		return p.count("state = 'creating' AND backup_id IS NOT NULL") > 0
	})
	require.NoError(p.t, syscall.Kill(-p.daemon("cinder-backup"), syscall.SIGKILL))
	started := false
	start := func() {
		if !started {
			p.restartDaemon("cinder-backup")
			started = true
		}
	}
	p.t.Cleanup(start)
	back()
	var found labDoctor
	p.until("doctor knows that cinder-backup is dead", 4*time.Minute, func() bool {
		p.watch()
		services, _ := rig.Output(p.t, p.env, "doctor", "--json")
		return strings.Contains(services, "no cinder-backup service is up")
	})
	found = p.doctor("cinder-backup is dead")
	require.True(p.t, found.has("cloud", "error: no cinder-backup service is up"))
	start()
	p.renewed("after cinder-backup was killed")
	p.doctor("after cinder-backup was killed").requireAgreement(p.labProgram)
}

// freezesBroker stops the message broker for a minute: requests that Cinder's API accepts meanwhile are not executed.
func (p *labTroubles) freezesBroker() {
	p.t.Helper()
	broker := p.daemon("rabbit.own")
	require.NoError(p.t, syscall.Kill(broker, syscall.SIGSTOP))
	wake := func() { _ = syscall.Kill(broker, syscall.SIGCONT) }
	p.t.Cleanup(wake)
	p.during(30 * time.Second)
	p.doctor("the broker is frozen").requireAgreement(p.labProgram)
	p.during(30 * time.Second)
	wake()
	p.renewed("after the broker was frozen")
	p.doctor("after the broker was frozen").requireAgreement(p.labProgram)
}

// shortensTokens limits the life of tokens to 20 s, so every process renews its tokens again and again.
func (p *labTroubles) shortensTokens() {
	p.t.Helper()
	back := func() { p.restartDaemon("keystone") }
	p.restartDaemon("keystone", "LAB_TOKEN_SECONDS=20")
	restored := false
	p.t.Cleanup(func() {
		if !restored {
			back()
		}
	})
	p.renewed("with tokens of 20 s")
	p.doctor("with tokens of 20 s").requireAgreement(p.labProgram)
	p.renewed("with tokens of 20 s, again")
	back()
	restored = true
	p.renewed("with usual tokens")
}

// requireAgreement asserts that records and Cinder agree, or could not be compared.
func (d labDoctor) requireAgreement(p *labProgram) {
	p.t.Helper()
	for _, text := range d["invariants"] {
		require.True(p.t, strings.HasPrefix(text, "ok: ") || strings.HasPrefix(text, "unknown: "), text)
	}
}
