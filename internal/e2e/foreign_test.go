package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// If Cinder has no parent for an incremental, the same attempt makes a full.
func TestIncrementalWithoutParentBecomesAFull(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(day, 3*time.Hour)
	w.Sim.RemoveBackup(w.LastRecord(volumes[0]).BackupID) // and no reconcile run since
	w.Advance(day, 3*time.Hour)
	r := w.LastRecord(volumes[0])
	require.Equal(t, backup.Available, r.State)
	require.Equal(t, backup.Full, r.Kind)
	require.Equal(t, 2, r.Attempts)
	require.True(t, r.ForcedFull, "the cap on forced fulls counts it")
	require.Len(t, w.RecordsOf(volumes[0]), 2, "no record is lost on the way")
	w.Reconcile()
	require.Equal(t, "lost available", w.History(volumes[0]))
	w.requireInvariants()
}

// Cinder would refuse an incremental of an extended volume: the program begins a new chain.
func TestExtendedVolumeGetsAFull(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(day, 3*time.Hour)
	w.Sim.Extend(volumes[0], 2)
	w.Advance(2*day, 3*time.Hour)
	require.Equal(t, "FFI", w.Kinds(volumes[0]))
	require.Equal(t, 2, w.Sim.BackupsOf(volumes[0])[1].SizeGiB)
	require.True(t, w.RecordsOf(volumes[0])[1].ForcedFull)
	require.Zero(t, w.Count("state = 'failed'"))
	w.requireInvariants()
}

// The worker chooses the kind anew. The cap on forced fulls counts what it chose, not what the plan chose.
func TestKindThatTheWorkerChoosesCountsUnderTheCapOnForcedFulls(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay, func(set *backup.Settings, o *cloudsim.Options) {
		set.MaxBackupsInProgress, o.BackupTime = 1, cloudsim.Fixed(20*time.Minute)
	})
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 2)
	w.Advance(day, 5*time.Minute)
	w.Advance(5*time.Minute, time.Minute) // the plan of the second day: one backup begins, the other one waits
	waiting := w.RecordsOf(volumes[0])
	if len(waiting) < 2 || waiting[1].State != backup.Planned {
		volumes[0] = volumes[1]
		waiting = w.RecordsOf(volumes[0])
	}
	require.Equal(t, backup.Planned, waiting[1].State)
	require.Equal(t, backup.Incremental, waiting[1].Kind)
	require.False(t, waiting[1].ForcedFull)
	w.Sim.Extend(volumes[0], 2)
	w.Advance(40*time.Minute, time.Minute)
	made := w.RecordsOf(volumes[0])[1]
	require.Equal(t, backup.Full, made.Kind)
	require.True(t, made.ForcedFull)
	w.requireInvariants()
}

// A link that a tenant removes is recorded as lost by the reconcile run. Without a parent, the next backup is a full.
func TestBackupRemovedByTenantIsRecordedAsLost(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(2*day, 3*time.Hour)
	w.Sim.RemoveBackup(w.LastRecord(volumes[0]).BackupID)
	w.Reconcile()
	require.Equal(t, "available lost", w.History(volumes[0]))
	require.Equal(t, 1, w.logged("error", "backup was removed by somebody else", w.LastRecord(volumes[0]).ID))
	w.Step(6 * time.Hour)
	w.Advance(3*time.Hour, time.Hour)
	require.Equal(t, "FF", w.Kinds(volumes[0]), "at the next plan, not after an interval: the restore point is gone")
	w.requireInvariants()
}

// A tenant's own backups are never removed, adopted or counted. If one depends on our chain, the chain is kept.
func TestTenantsOwnBackupsAreNeverRemoved(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	acme := w.Sim.AddProject("acme")
	alice := w.Sim.AddUser("alice", "alice", "")
	w.Sim.Grant(alice, acme, "member")
	server, volumes := w.Protect(acme, "web-1", 2)
	w.Advance(2*day-time.Hour, time.Hour)
	require.Equal(t, "FI", w.Kinds(volumes[0]))
	ours := w.LastRecord(volumes[0])
	dependent := w.Sim.AddBackup(cloudsim.NewBackup{Volume: volumes[0], User: alice, Name: "mine", Parent: ours.BackupID})
	manual := w.Sim.AddBackup(cloudsim.NewBackup{Volume: volumes[1], User: alice, Name: "mine"})
	w.Reconcile()
	for _, r := range w.RecordsOf(volumes[0]) {
		require.Equal(t, backup.ForeignDependent, r.RemovalReason, "known long before its removal is due")
	}
	require.Zero(t, w.Count("removal_reason <> '' AND volume_id <> '"+volumes[0]+"'"))
	w.Sim.DeleteServer(server) // so that there is no floor
	w.Advance(5*day, 6*time.Hour)

	require.Equal(t, "available available", w.History(volumes[0]), "the chain below the tenant's incremental is kept")
	require.Empty(t, w.events(cloudsim.BackupDeletion, volumes[0]), "no request that Cinder would refuse")
	require.Equal(t, "deleted deleted", w.History(volumes[1]))
	require.Equal(t, 1, w.logged("info", "foreign dependents of restore points changed", "foreign_dependent"), "once, not at each pass")
	env := w.settings()
	env["STAFFELN_PROTECTION_GRACE"] = "0"
	output, code := rig.Output(t, env, "explain", volumes[0])
	require.Zero(t, code)
	require.Contains(t, output, "Needed by a backup")
	require.Contains(t, output, "removed by the next retention runs\n  Nothing.", "nobody knows when")
	_, there := w.Sim.Backup(manual)
	require.True(t, there)
	w.requireInvariants()

	w.Sim.RemoveBackup(dependent)
	w.Advance(day, 3*time.Hour)
	require.Equal(t, "deleted deleted", w.History(volumes[0]), "removed when the tenant's incremental is gone")
	w.requireInvariants()
}

// A tag that a tenant copies has no effect, neither on a tenant's backup nor on an older one of ours.
func TestCopiedTagsHaveNoEffect(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) {
		set.BackupMinInterval = backup.Duration(30 * time.Minute)
	})
	acme := w.Sim.AddProject("acme")
	alice := w.Sim.AddUser("alice", "alice", "")
	w.Sim.Grant(alice, acme, "member")
	_, volumes := w.Protect(acme, "web-1", 1)
	w.Advance(29*time.Minute, time.Minute)
	first := w.LastRecord(volumes[0])
	w.Step(time.Minute)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 1, Do: cloudsim.DropBefore{}})
	w.RunDue()
	r := w.LastRecord(volumes[0])
	require.Equal(t, backup.ResponseUnknown, r.Reason)
	tag := backup.Tag{Installation: w.Scheduler.Identity.Installation, Record: r.ID}.Metadata()
	w.Sim.AddBackup(cloudsim.NewBackup{Volume: volumes[0], User: alice, Metadata: tag})
	w.retag(alice, acme, first.BackupID, tag)
	w.Advance(20*time.Minute, time.Minute)
	require.Equal(t, "available available", w.History(volumes[0]))
	require.NotEqual(t, first.BackupID, w.LastRecord(volumes[0]).BackupID)
	made, _ := w.Sim.Backup(w.LastRecord(volumes[0]).BackupID)
	require.Equal(t, w.Sim.Cast().Service, made.User)
	w.Reconcile()
	require.Len(t, w.Records("true"), 2, "the reconcile run gives a tenant's backup no record")
	w.requireInvariants()
}

// retag lets a user (with password alice) rewrite a backup's metadata; Cinder allows this to members of the backup's project.
func (w *environment) retag(userID, projectID, backupID string, tag map[string]string) {
	w.T.Helper()
	send := func(method, path, token string, body any) (status int, header http.Header) {
		text, err := json.Marshal(body)
		require.NoError(w.T, err)
		r, err := http.NewRequestWithContext(w.Ctx, method, w.CloudURL+path, bytes.NewReader(text))
		require.NoError(w.T, err)
		r.Header.Set("X-Auth-Token", token)
		r.Header.Set("OpenStack-API-Version", "volume 3.70")
		response, err := http.DefaultClient.Do(r)
		require.NoError(w.T, err)
		require.NoError(w.T, response.Body.Close())
		return response.StatusCode, response.Header
	}
	user := map[string]any{"id": userID, "password": "alice"}
	_, header := send(http.MethodPost, "/identity/v3/auth/tokens", "", map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{"user": user}},
		"scope":    map[string]any{"project": map[string]any{"id": projectID}},
	}})
	status, _ := send(http.MethodPut, "/volume/v3/"+projectID+"/backups/"+backupID, header.Get("X-Subject-Token"), map[string]any{"backup": map[string]any{"metadata": tag}})
	require.Equal(w.T, http.StatusOK, status)
}
