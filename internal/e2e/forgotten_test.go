package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// B5: volumes that have not changed are not written.
func TestSteadyCloudWritesNoVolume(t *testing.T) {
	t.Parallel()
	w, _, _ := withBackups(t)
	rows := func() (all []string) {
		require.NoError(t, w.Pool.QueryRow(w.Ctx, `SELECT array_agg(ctid::text || xmin::text ORDER BY id) FROM volumes`).Scan(&all))
		return all
	}
	w.Advance(2*time.Hour, w.Settings.BackupServicePeriod.Std())
	before := rows()
	for range 3 {
		w.Step(w.Settings.BackupServicePeriod.Std())
		w.Plan()
	}
	require.Equal(t, before, rows())
	w.requireInvariants()
}

// B5: a volume that was never protected is forgotten as soon as it is gone.
func TestUnprotectedVolumeIsForgottenWhenItIsGone(t *testing.T) {
	t.Parallel()
	w := daily(t)
	project := w.Sim.AddProject("acme")
	w.Protect(project, "web-1", 1)
	id := w.Sim.AddVolume(project, "scratch", 1)
	w.Plan()
	require.Equal(t, 2, w.countVolumes("true"))
	w.Sim.DeleteVolume(id)
	w.Step(w.Settings.BackupServicePeriod.Std())
	w.Plan()
	require.Equal(t, 1, w.countVolumes("true"))
	w.requireInvariants()
}

// B5: volumes that come and go each day are not written again after they are gone, and are forgotten with their history.
func TestVolumesThatComeAndGoAreForgotten(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) {
		set.RetentionTime, set.RetentionMin = backup.Period{Clock: 6 * time.Hour}, backup.Period{Clock: time.Hour}
		set.HistoryTime = backup.Period{Days: 2}
	})
	acme := w.Sim.AddProject("acme")
	w.Protect(acme, "web-1", 1)
	gone := func() (rows []string) {
		require.NoError(t, w.Pool.QueryRow(w.Ctx, `SELECT coalesce(array_agg(ctid::text || xmin::text ORDER BY id), '{}') FROM volumes WHERE gone_at IS NOT NULL`).Scan(&rows))
		return rows
	}
	for range 5 {
		server, volumes := w.Protect(acme, "ci", 2)
		w.Advance(2*time.Hour, 30*time.Minute)
		w.Sim.DeleteServer(server)
		for _, v := range volumes {
			w.Sim.DeleteVolume(v)
		}
		w.Advance(21*time.Hour, 3*time.Hour)
		before := gone()
		w.Advance(time.Hour, 30*time.Minute)
		require.Equal(t, before, gone(), "written again")
		w.Reconcile()
	}
	require.LessOrEqual(t, w.countVolumes("true"), 1+2*2, "of eleven volumes, those of the last two days")
}
