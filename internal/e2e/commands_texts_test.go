package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// The complete texts of the commands.
func TestTextsOfOperatorCommands(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay, func(_ *backup.Settings, o *cloudsim.Options) {
		o.BackupTime, o.DeleteTime = cloudsim.Fixed(20*time.Minute), cloudsim.Fixed(0)
	})
	acme, initech := w.Sim.AddProject("acme"), w.Sim.AddProject("initech")
	_, _ = w.addNamed(acme, "web-1", "true", "data", "logs")
	_, _ = w.addNamed(acme, "test-1", "false", "scratch")
	_, _ = w.addNamed(initech, "file-1", "true", "archive")
	w.Advance(3*day, 30*time.Minute)
	w.RunDue()

	golden(t, "backup-now-refused", w.run(1, "backup-now", "web-1"))
	golden(t, "cancel", w.runWithInput(0, "yes\nyes\n", "cancel", "web-1"))
	golden(t, "cancel-nothing", w.run(1, "cancel", "scratch"))
	w.Advance(time.Hour, 30*time.Minute)
	golden(t, "backup-now", w.run(0, "backup-now", "web-1"))
	golden(t, "pause-project", w.run(0, "pause", "--project", "initech", "--why", "its store is full"))
	w.Dispatch()
	golden(t, "pause", w.run(0, "pause", "--why", "upgrade of Cinder until noon"))
	golden(t, "status-paused", w.terminal(0, "status"))
	golden(t, "explain-paused", w.terminal(0, "explain", "archive"))
	w.Step(time.Minute)
	golden(t, "pause-again", w.run(0, "pause", "--why", "the upgrade takes longer"))
	golden(t, "resume", w.run(0, "resume"))
	golden(t, "resume-project", w.run(0, "resume", "--project", "initech"))
	golden(t, "resume-nothing", w.run(0, "resume"))
	w.Advance(day, 30*time.Minute)
	w.Sim.DeleteServer(w.serverOf("file-1"))
	w.Sim.DeleteProject(initech)
	w.Advance(2*day, time.Hour)
	golden(t, "purge-project-list", w.run(0, "purge-project"))
	golden(t, "purge-project", w.runWithInput(0, "yes\n", "purge-project", "--project", "initech"))
	golden(t, "purge-project-nothing", w.run(0, "purge-project", "--project", "initech"))
	golden(t, "audit", w.terminal(0, "audit"))
	w.requireInvariants()
}

// serverOf returns the ID of the server with that name.
func (w *environment) serverOf(name string) string {
	for _, s := range w.Sim.Servers() {
		if s.Name == name {
			return s.ID
		}
	}
	require.Fail(w.T, "no such server", name)
	return ""
}

// An unknown project cannot be paused, but the pause of a forgotten project can be ended.
func TestPauseOfAProjectThatIsForgotten(t *testing.T) {
	t.Parallel()
	w := daily(t)
	require.Contains(t, w.run(2, "pause", "--project", "acme"), "no volume or backup of such a project is known")
	w.Exec(`INSERT INTO pauses (project_id, since, who, why) VALUES ('0123456789abcdef0123456789abcdef', staffeln_now(), 'bob@desk', '')`)
	require.Contains(t, oneLine(w.terminal(0, "status")), "`staffeln resume --project 0123456789abcdef0123456789abcdef`")
	out := w.run(0, "resume", "--project", "0123456789abcdef0123456789abcdef")
	require.True(t, strings.HasPrefix(out, "Resumed: "), out)
}
