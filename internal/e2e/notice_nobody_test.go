package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/e2e/rig"
)

// Case B9: a project without any mail address costs one request in a report period. Its results are not collected. The finding
// is reported once to the operator, and ends when there is an address.
func TestReport_ProjectWithoutReceiverCostsOneRequestPerPeriod(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembersAndOperator)
	asked := &callCounter{of: p.Cloud}
	p.reporter.Directory = asked
	initech := p.Sim.AddProject("initech")
	p.Protect(initech, "app-1", 1)
	p.advanceAll(3 * 24 * time.Hour)
	require.LessOrEqual(t, asked.members.Load(), int64(3*4), "one request in six hours")
	require.Zero(t, asked.quotas.Load(), "nothing is gathered for a report that nobody gets")
	require.Equal(t, 1, p.logged("warn", "project has no receiver", initech))
	require.Equal(t, 1, p.queryInt(`SELECT count(*) FROM findings WHERE reason = 'no_receiver'`))
	operators := p.box.To("ops@ops.example")
	require.NotEmpty(t, operators)
	require.Contains(t, unwrapped(operators[0]), "project initech ("+initech+"): no receiver found")
	require.Contains(t, unwrapped(operators[0]), backup.NoReceiver.Sentence())
	require.NotContains(t, rig.MailText(operators[0]), "Succeeded", "no project's results")

	p.addMember(initech, "ivan", "ivan@initech.example")
	p.advanceAll(7 * time.Hour)
	require.NotEmpty(t, p.box.To("ivan@initech.example"))
	require.Zero(t, p.queryInt(`SELECT count(*) FROM findings WHERE reason = 'no_receiver'`))
	for _, id := range p.made(initech)[:60] {
		require.Equal(t, 1, p.mentions("ivan@initech.example", id))
	}
	p.requireInvariants()
}
