//go:build faults

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const tokenRoute = "POST /identity/v3/auth/tokens"

// All tokens of the service user are revoked, again and again, as by a change of its password: new ones are asked for,
// and no more than one for each process and project.
func TestTokensRevokedUnderFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t).crewed()
	before := r.sim.Counts()[tokenRoute]
	const times = 8
	for range times {
		r.lasts(r.between(time.Second, 4*time.Second))
		r.sim.RevokeTokens(r.sim.Cast().Service)
	}
	r.recovers(soon)
	const processes, projects = 4, 4
	asked := r.sim.Counts()[tokenRoute] - before
	t.Logf("%d tokens asked for after %d revocations", asked, times)
	require.LessOrEqual(t, asked, times*processes*projects)
	require.Zero(t, r.count(`state = 'failed'`), "failures by a token that was revoked")
}

// Half of the workers come with credentials that have no right in the tenants' projects. What they take fails, and is
// told; the others' work is not harmed, and what failed is made good by them.
func TestHalfTheWorkersWithoutRightsUnderFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t).crewed()
	rightless := map[string]string{"OS_USERNAME": "admin", "OS_PASSWORD": "admin"}
	intruders := []*mate{r.join("worker", rightless), r.join("worker", rightless)}
	r.within(soon, "they fail", func() bool { return r.count(`reason = 'no_role'`) >= 5 })
	var told []string
	require.NoError(t, r.db.QueryRow(r.ctx, `SELECT coalesce(array_agg(reason || ': ' || detail), '{}') FROM findings`).Scan(&told))
	t.Logf("%d records failed without a role; findings: %q", r.count(`reason = 'no_role'`), told)
	r.freshens(afterLease)
	for _, m := range intruders {
		m.stop()
		require.Zero(t, m.cmd.ProcessState.ExitCode(), m.log.tail(2000))
	}
	r.recovers(soon)
}
