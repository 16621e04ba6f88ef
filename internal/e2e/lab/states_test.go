//go:build openstack

package lab

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
	"staffeln/view"
)

// Each view shows the code of each state that a real cloud and the program can be brought into: states of volumes, of
// servers' metadata, of caps and pauses, and with a daemon down. The test's log has a table of what they show;
// TestEachViewShowsTheState has the table of all states.
//
// It needs the same as TestFaultsOnOpenStack.
func TestStatesOnOpenStack(t *testing.T) {
	run := newLabRun(t)
	run.needDaemons(t)
	s := run.newTest(t, "states")
	acme, globex := s.tenant("acme"), s.tenant("globex")
	asks := map[string]string{s.key: "true"}
	p := &labStates{
		many: acme.boot("many", 3, asks), web: acme.boot("web", 1, asks), deleted: acme.boot("deleted", 2, asks),
		broken: acme.boot("broken", 2, nil), idle: acme.boot("idle", 2, nil), poor: globex.boot("poor", 1, nil),
		account: s.account("account"),
	}
	p.labProgram = s.start(p.account.settings(map[string]string{
		"STAFFELN_BACKUP_MIN_INTERVAL": "1h", "STAFFELN_RETENTION_TIME": "2w", "STAFFELN_PROTECTION_GRACE": "7d",
		"STAFFELN_MAX_BACKUPS_IN_PROGRESS": "1",
	}))
	for _, volume := range slices.Concat(p.many.Volumes, p.web.Volumes, p.deleted.Volumes) {
		p.shows("all is well", volume, labShown{status: "protected", explain: "protected", doctor: "cloud: ok"})
	}
	p.metadataStates()
	p.volumeStates()
	p.waitingStates()
	p.daemonStates()
	p.accountStates()

	for _, one := range []*labServer{p.many, p.broken, p.idle, p.poor} {
		one.setMetadata(s.key, "false")
	}
	p.end()
	t.Logf("the test took %s", time.Since(s.began).Round(time.Second))
}

// labStates is the program, its account and the test's servers.
type labStates struct {
	*labProgram

	account                                *labAccount
	many, web, deleted, broken, idle, poor *labServer
}

// labShown is the least that each view must show: each text is a part of one of the view's codes. Empty: not read.
type labShown struct{ status, explain, doctor string }

// shows waits until each view shows the state.
func (p *labStates) shows(state, volume string, want labShown) {
	p.t.Helper()
	var status, explain, doctor []string
	began := time.Now()
	defer func() { // also when they never do
		p.t.Logf("| %s | %s | %s | %s | after %s", state, strings.Join(status, ", "), strings.Join(explain, ", "), strings.Join(doctor, ", "), time.Since(began).Round(time.Second))
	}()
	has := func(codes []string, part string) bool {
		return slices.ContainsFunc(codes, func(code string) bool { return strings.Contains(code, part) })
	}
	p.until("each view shows: "+state, 4*time.Minute, func() bool {
		p.readBackups()
		var s view.Status
		p.readJSON(&s, "status")
		status = rig.StatusCodes(s)
		var e view.Explanation
		p.readJSON(&e, "explain", volume)
		explain = rig.ExplainCodes(e)
		if !has(status, want.status) || !has(explain, want.explain) {
			return false
		}
		doctor = p.doctorCodes(want.doctor != "")
		return want.doctor == "" || has(doctor, want.doctor)
	})
}

// doctorCodes returns each check with its severity; nothing if it is not wanted, because doctor asks the cloud a lot.
func (p *labStates) doctorCodes(wanted bool) (codes []string) {
	if !wanted {
		return nil
	}
	for check, texts := range p.findings() {
		if check == "database" || check == "delete_check" || check == "configuration" {
			continue // what the test's own servers lack
		}
		for _, text := range texts {
			severity, _, _ := strings.Cut(text, ":")
			codes = append(codes, check+": "+severity)
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// command runs an operator's command.
func (p *labStates) command(args ...string) {
	p.t.Helper()
	output, code := rig.Output(p.t, p.env, append(args, "--who", person)...)
	require.Zero(p.t, code, output)
}
