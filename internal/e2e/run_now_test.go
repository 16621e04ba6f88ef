package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An operator asks for a plan and a reconcile run between two of them: the leader runs them at once, the command prints what
// came of them, and the audit table has it.
func TestRunsAtOnce(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	acme := w.Sim.AddProject("acme")
	w.addNamed(acme, "web-1", "true", "data")
	require.Contains(t, w.run(1, "plan", "--now"), "no scheduler leads: start one with `staffeln scheduler`; nothing was asked")
	w.RunDue()
	w.Step(time.Minute)
	w.addNamed(acme, "web-2", "true", "logs")

	ctx, stop := context.WithCancel(w.Ctx)
	ended := make(chan error, 1)
	go func() { ended <- w.Scheduler.Run(ctx, w.URL, "scheduler-1") }()
	w.eventually("the scheduler leads", func() bool { return strings.Contains(w.terminal(0, "status", "--json"), `"leads": true`) })
	shown := oneLine(w.run(0, "plan"))
	require.Contains(t, shown, "`staffeln plan --now` runs one at once")
	require.Zero(t, w.Count(`volume_name = 'logs'`))
	out := oneLine(w.run(0, "plan", "--now"))
	require.Contains(t, out, "servers seen: 2, volumes: 2, to be backed up: 2, late: 0; backups planned: 1, withdrawn: 0")
	require.Equal(t, 1, w.Count(`volume_name = 'logs'`))
	require.Contains(t, oneLine(w.run(0, "reconcile", "--now")), "restore points known to be lost: 0")
	stop()
	require.NoError(t, <-ended)
	audits := w.lastAudits(2)
	require.Contains(t, audits[0], "plan: servers seen: 2")
	require.Contains(t, audits[1], "reconcile: ")
}
