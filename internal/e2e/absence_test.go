package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// If a page of a listing fails, nothing counts as absent: no record is withdrawn, the volumes that were seen are backed up,
// and the failure is reported.
func TestIncompleteListingEndsNoProtection(t *testing.T) {
	for name, route := range map[string]string{"servers": "GET /compute/v2.1/servers/detail", "volumes": "GET /volume/v3/{project}/volumes/detail"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := daily(t, func(set *backup.Settings, o *cloudsim.Options) { set.MaxBackupsInProgress, o.MaxLimit = 1, 2 })
			acme := w.Sim.AddProject("acme")
			var volumes []string
			for range 5 {
				_, v := w.Protect(acme, "web", 1)
				volumes = append(volumes, v...)
			}
			w.Plan()
			require.Equal(t, 5, w.Count("state = 'planned'"))
			remove := w.Sim.AddFault(cloudsim.Fault{
				Route: route, Match: func(r cloudsim.Request) bool { return r.Query.Get("marker") != "" },
				Do: cloudsim.Refuse{Status: http.StatusInternalServerError},
			})
			for range 4 {
				w.Step(w.Settings.BackupServicePeriod.Std())
				w.Plan()
			}
			require.Equal(t, 5, w.Count("state = 'planned'"), "nothing withdrawn")
			require.Equal(t, 5, w.countVolumes("protected AND gone_at IS NULL"))
			require.Equal(t, 1, w.logged("warn", "plan does not see the whole cloud", "page 2"), "logged when it begins")
			remove()
			w.Advance(time.Hour, time.Minute)
			require.Equal(t, 1, w.logged("info", "plan sees the whole cloud again"), "and when it ends")
			for _, v := range volumes {
				require.Equal(t, "available", w.History(v))
			}
			w.requireInvariants()
		})
	}
}

// An empty list of servers for an hour is a finding and ends no protection (A6), even if the operator has confirmed losses.
func TestEmptyListOfServersEndsNoProtection(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) { set.MaxBackupsInProgress = 1 })
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 2)
	w.Plan()
	show := w.Sim.AddFault(cloudsim.Fault{Route: "GET /compute/v2.1/servers/detail", Do: cloudsim.Refuse{Status: http.StatusOK, Body: `{"servers": []}`}})
	for n := range 6 {
		if n == 3 {
			require.NoError(t, w.DB.ConfirmLost(w.Ctx))
		}
		w.Step(w.Settings.BackupServicePeriod.Std())
		w.Plan()
		require.Len(t, w.findings(backup.AbsencesUnconfirmed), 1)
	}
	require.Equal(t, 2, w.Count("state = 'planned'"))
	require.Equal(t, 2, w.countVolumes("protected AND gone_at IS NULL"))
	require.Zero(t, w.endedProtections("true"))
	show()
	w.Step(w.Settings.BackupServicePeriod.Std())
	w.Plan()
	require.Empty(t, w.findings(backup.AbsencesUnconfirmed))
	w.Advance(time.Hour, time.Minute)
	require.Equal(t, "available", w.History(volumes[0]))
	w.requireInvariants()
}

// An empty list of volumes for an hour is a finding and ends no protection.
func TestEmptyListOfVolumesEndsNoProtection(t *testing.T) {
	t.Parallel()
	w := daily(t)
	w.Protect(w.Sim.AddProject("acme"), "web-1", 2)
	w.Plan()
	w.Sim.AddFault(cloudsim.Fault{Route: "GET /volume/v3/{project}/volumes/detail", Do: cloudsim.Refuse{Status: http.StatusOK, Body: `{"volumes": []}`}})
	for range 6 {
		w.Step(w.Settings.BackupServicePeriod.Std())
		w.Plan()
	}
	require.Len(t, w.findings(backup.AbsencesUnconfirmed), 1)
	require.Equal(t, 2, w.countVolumes("protected AND gone_at IS NULL"))
	w.requireInvariants()
}

// Without the role admin, listings contain only one project, without an error: they end no protection.
func TestLostAdminRoleEndsNoProtection(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) { set.MaxBackupsInProgress = 1 })
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 2)
	w.Advance(time.Hour, 10*time.Minute)
	_, later := w.Protect(w.Sim.AddProject("globex"), "web-2", 1)
	w.Plan()
	service, home := w.Sim.Cast().Service, w.Sim.Cast().AdminProject
	w.Sim.RevokeInherited(service, "default", "admin")
	w.Sim.GrantInherited(service, "default", "member")
	w.Sim.Revoke(service, home, "admin")
	w.Sim.Grant(service, home, "member")
	for range 3 {
		w.Step(w.Settings.BackupServicePeriod.Std())
		require.ErrorContains(t, w.Scheduler.Plan(w.Ctx, w.BeginRun()), "want admin")
		require.ErrorContains(t, w.Scheduler.Reconcile(w.Ctx, w.BeginRun()), "want admin")
		w.Dispatch()
	}
	require.Len(t, w.findings(backup.NotAdmin), 1)
	require.Contains(t, w.findings(backup.NotAdmin)[0].Detail, "openstack role add --user "+service+" --project "+home+" admin")
	require.Equal(t, 2, w.Count("volume_id = ANY($1) AND state = 'available'", volumes))
	require.Equal(t, "available", w.History(later[0]), "the planned backup is made: the role in its project exists")
	require.Zero(t, w.Count("state IN ('lost', 'withdrawn', 'failed', 'deleted')"))
	require.Equal(t, 3, w.countVolumes("protected AND gone_at IS NULL"))
	w.requireInvariants()
}

// A leader whose user lost the role admin tries its runs less and less often. It logs that once, and once more when it is over.
func TestLostAdminRoleIsLoggedOnceAndEnds(t *testing.T) {
	t.Parallel()
	w := daily(t, func(_ *backup.Settings, o *cloudsim.Options) { o.BackupTime = cloudsim.Fixed(100 * time.Hour) })
	w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(10*time.Minute, 5*time.Minute)
	service, home := w.Sim.Cast().Service, w.Sim.Cast().AdminProject
	w.Sim.RevokeInherited(service, "default", "admin")
	w.Sim.Revoke(service, home, "admin")
	w.Sim.Grant(service, home, "member")
	w.Sim.ResetCounts()
	for range 12 * 60 {
		w.Step(5 * time.Second)
		_, _ = w.Scheduler.Turn(w.Ctx, w.Term)
	}
	require.Equal(t, 1, w.logged("error"), "plans, and the listing of the backup in progress")
	require.Equal(t, 1, w.logged("error", "service user is no administrator"))
	require.Zero(t, w.logged("warn", "not listed"))
	require.Equal(t, 1, w.metric("staffeln_findings", "reason", "not_admin"))

	w.Sim.Grant(service, home, "admin")
	for range 12 * 60 {
		w.Step(5 * time.Second)
		_, _ = w.Scheduler.Turn(w.Ctx, w.Term)
	}
	require.Equal(t, 1, w.logged("info", "service user is an administrator again"))
	require.Empty(t, w.findings(backup.NotAdmin))
	require.Equal(t, 1, w.logged("error"))
}

// endedProtections counts the rows of protection_ends that match a condition.
func (w *environment) endedProtections(where string) (n int) {
	w.T.Helper()
	require.NoError(w.T, w.Pool.QueryRow(w.Ctx, `SELECT count(*) FROM protection_ends WHERE `+where).Scan(&n))
	return n
}

// countVolumes counts the rows of volumes that match a condition.
func (w *environment) countVolumes(where string) (n int) {
	w.T.Helper()
	require.NoError(w.T, w.Pool.QueryRow(w.Ctx, `SELECT count(*) FROM volumes WHERE `+where).Scan(&n))
	return n
}
