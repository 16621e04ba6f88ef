//go:build faults

package faults

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const tokenRoute = "POST /identity/v3/auth/tokens"

// All tokens of the service user are revoked several times, as after a password change: the processes request new ones, at
// most one per process and project.
func TestTokensRevokedUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).withInstances()
	before := r.Sim.Counts()[tokenRoute]
	const times = 8
	for range times {
		r.wait(r.randomTime(time.Second, 4*time.Second))
		r.Sim.RevokeTokens(r.Sim.Cast().Service)
	}
	r.requireRecovery(soon)
	const processes, projects = 4, 4
	asked := r.Sim.Counts()[tokenRoute] - before
	t.Logf("%d tokens asked for after %d revocations", asked, times)
	require.LessOrEqual(t, asked, times*processes*projects)
	require.Zero(t, r.Count(`state = 'failed'`), "failures by a token that was revoked")
}

// Two of four workers run with credentials without rights in the tenants' projects. Their tasks fail and are recorded; the
// other workers are not affected, and make the missing backups.
func TestHalfTheWorkersWithoutRightsUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).withInstances()
	rightless := map[string]string{"OS_USERNAME": "admin", "OS_PASSWORD": "admin"}
	intruders := []*instance{r.addInstance("worker", rightless), r.addInstance("worker", rightless)}
	r.waitFor(soon, "they fail", func() bool { return r.Count(`reason = 'no_role'`) >= 5 })
	var findings []string
	require.NoError(t, r.DB.QueryRow(r.Ctx, `SELECT coalesce(array_agg(reason || ': ' || detail), '{}') FROM findings`).Scan(&findings))
	t.Logf("%d records failed without a role; findings: %q", r.Count(`reason = 'no_role'`), findings)
	r.waitFresh(afterLease)
	for _, m := range intruders {
		m.Stop()
		require.Zero(t, m.Cmd.ProcessState.ExitCode(), m.Log.Tail(2000))
	}
	r.requireRecovery(soon)
}
