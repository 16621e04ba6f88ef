package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

const (
	secretsRoute = "GET /key-manager/v1/secrets"
	secretRoute  = "GET /key-manager/v1/secrets/{secret}"
)

// protectEncrypted creates a server that asks for backups, with encrypted volumes.
func (w *environment) protectEncrypted(project string, volumes int) (volumeIDs []string) {
	server := w.Sim.AddServer(project, "vault", map[string]string{w.Settings.BackupMetadataKey: "true"})
	for range volumes {
		id := w.Sim.AddVolume(project, "secret", 1, cloudsim.VolumeOptions{Encrypted: true})
		w.Sim.Attach(server, id)
		volumeIDs = append(volumeIDs, id)
	}
	return volumeIDs
}

// withEncrypted returns an environment whose encrypted volumes have one restore point each, which a reconcile run has seen.
func withEncrypted(t *testing.T, projects, volumes int, changes ...func(*backup.Settings, *cloudsim.Options)) (w *environment, ids, volumeIDs []string) {
	t.Helper()
	w = daily(t, append(changes, func(set *backup.Settings, _ *cloudsim.Options) {
		set.MaxBackupsInProgress, set.MaxBackupsInProgressPerProject = 0, 0
	})...)
	for i := range projects {
		id := w.Sim.AddProject(fmt.Sprintf("acme-%d", i))
		ids = append(ids, id)
		volumeIDs = append(volumeIDs, w.protectEncrypted(id, volumes)...)
	}
	w.RunDue()
	w.Step(time.Minute)
	w.Dispatch()
	require.Equal(t, projects*volumes, w.Count("state = 'available'"))
	w.Reconcile()
	w.Step(time.Minute)
	return w, ids, volumeIDs
}

// secretFindings counts the findings about secrets, of both kinds.
func (w *environment) secretFindings() int {
	return len(w.findings(backup.SecretGone)) + len(w.findings(backup.SecretsUnconfirmed))
}

// A tenant deletes the secret of a restore point, so nobody can restore it any more: this is a finding.
func TestDeletedSecretOfARestorePointIsAFinding(t *testing.T) {
	for _, release := range cloudsim.Releases() {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			w, projects, volumes := withEncrypted(t, 1, 2, fourPlansADay, func(_ *backup.Settings, o *cloudsim.Options) { o.Release = release })
			require.Zero(t, w.secretFindings())
			asked := w.Sim.Counts()[secretRoute]
			require.Zero(t, asked, "what the list shows is not asked for")
			gone := w.LastRecord(volumes[0])
			w.Sim.DeleteSecretOf(gone.BackupID)
			w.Reconcile()
			found := w.findings(backup.SecretGone)
			require.Len(t, found, 1)
			require.Equal(t, projects[0], found[0].ProjectID)
			require.Equal(t, volumes[0], found[0].VolumeID)
			require.Contains(t, found[0].Detail, "1 of 1 restore points")
			require.Equal(t, 1, w.metric("staffeln_findings", "reason", "secret_gone"))
			since := found[0].Since

			w.Advance(day+12*time.Hour, 6*time.Hour)
			w.Reconcile()
			found = w.findings(backup.SecretGone)
			require.Len(t, found, 1)
			require.Contains(t, found[0].Detail, "1 of 2 restore points")
			require.Equal(t, since, found[0].Since)
			require.Equal(t, 1, w.logged("error", "finding", "secret_gone"), "once")

			w.Sim.RestoreSecretOf(gone.BackupID)
			w.Step(time.Minute)
			w.Reconcile()
			require.Zero(t, w.secretFindings(), "Barbican has it again")
			w.Sim.DeleteSecretOf(gone.BackupID)
			w.Step(time.Minute)
			w.Reconcile()
			require.Len(t, w.findings(backup.SecretGone), 1)
			w.Advance(7*day, 6*time.Hour)
			_, there := w.Sim.Backup(gone.BackupID)
			require.False(t, there, "its retention is over")
			w.Reconcile()
			require.Zero(t, w.secretFindings())
			require.Empty(t, w.Sim.UnknownRoutes())
			w.requireInvariants()
		})
	}
}

// Only Barbican's own 404 for an ID proves that a secret is gone. Other errors are logged when they begin and when they end.
func TestUnreadableSecretsAreNoFinding(t *testing.T) {
	refused := func(status int, body string) cloudsim.Effect {
		return cloudsim.Refuse{Status: status, Body: body, Header: http.Header{"Content-Type": {"text/html"}}}
	}
	forbidden := refused(http.StatusForbidden, `{"code": 403, "title": "Forbidden", "description": "Secret retrieval attempt not allowed - please review your user/project privileges"}`)
	for name, c := range map[string]struct {
		routes []string
		effect cloudsim.Effect
	}{
		"no right":                {[]string{secretsRoute, secretRoute}, forbidden},
		"no right by ID":          {[]string{secretRoute}, forbidden},
		"Barbican is down":        {[]string{secretsRoute, secretRoute}, refused(http.StatusServiceUnavailable, "<html></html>")},
		"a proxy's page":          {[]string{secretRoute}, refused(http.StatusNotFound, "<html>Secret not found.</html>")},
		"a proxy's page for both": {[]string{secretsRoute, secretRoute}, refused(http.StatusNotFound, "<html>Secret not found.</html>")},
		"no response":             {[]string{secretRoute}, cloudsim.DropBefore{}},
		"a list that is cut":      {[]string{secretsRoute}, refused(http.StatusOK, `{"secrets": [], "total": 7}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _, volumes := withEncrypted(t, 1, 2)
			w.Sim.DeleteSecretOf(w.LastRecord(volumes[0]).BackupID)
			var endFaults []func()
			for _, route := range c.routes {
				endFaults = append(endFaults, w.Sim.AddFault(cloudsim.Fault{Route: route, Do: c.effect}))
			}
			for range 3 {
				w.Reconcile()
				w.Step(time.Minute)
			}
			require.Zero(t, w.secretFindings())
			require.Equal(t, 1, w.logged("warn", "secrets of encrypted backups not checked"), "once")
			for _, endFault := range endFaults {
				endFault()
			}
			w.Reconcile()
			require.Len(t, w.findings(backup.SecretGone), 1)
			require.Equal(t, 1, w.logged("info", "secrets of encrypted backups checked again"))
		})
	}
}

// A finding remains while Barbican is down.
func TestFindingAboutSecretsRemainsWhileBarbicanIsDown(t *testing.T) {
	t.Parallel()
	w, _, volumes := withEncrypted(t, 1, 2)
	w.Sim.DeleteSecretOf(w.LastRecord(volumes[0]).BackupID)
	w.Reconcile()
	require.Len(t, w.findings(backup.SecretGone), 1)
	w.Sim.SetKeyManager(false)
	w.Step(time.Minute)
	w.Reconcile()
	require.Len(t, w.findings(backup.SecretGone), 1)
}

// A service user without the right to read secrets is reported once.
func TestServiceUserWithoutRightToSecretsIsReported(t *testing.T) {
	t.Parallel()
	w, projects, volumes := withEncrypted(t, 2, 1)
	w.Sim.SetSecretRights(w.Sim.Cast().Service, projects[0], false)
	w.Sim.DeleteSecretOf(w.LastRecord(volumes[0]).BackupID)
	w.Sim.DeleteSecretOf(w.LastRecord(volumes[1]).BackupID)
	for range 2 {
		w.Reconcile()
		w.Step(time.Minute)
	}
	found := w.findings(backup.SecretGone)
	require.Len(t, found, 1, "the other project is checked")
	require.Equal(t, projects[1], found[0].ProjectID)
	require.Equal(t, 1, w.logged("warn", "secrets of encrypted backups not checked", projects[0], "forbidden"))
}

// In a cloud without Barbican nothing is concluded, because Cinder may use another key manager.
func TestCloudWithoutBarbicanHasNoFindingsAboutSecrets(t *testing.T) {
	t.Parallel()
	w := daily(t)
	w.Sim.LeaveOut(cloudsim.Barbican, true)
	w.protectEncrypted(w.Sim.AddProject("acme"), 1)
	w.RunDue()
	w.Step(time.Minute)
	w.Dispatch()
	for range 2 {
		w.Reconcile()
		w.Step(time.Minute)
	}
	require.Zero(t, w.secretFindings())
	require.Equal(t, 1, w.logged("warn", "secrets of encrypted backups not checked", "no key-manager"))
	require.Zero(t, w.Sim.Counts()[secretsRoute]+w.Sim.Counts()[secretRoute])
}

// Until one of our secrets was seen in it, Barbican may not be Cinder's key manager.
func TestBarbicanWithoutOurSecretsIsNotTrusted(t *testing.T) {
	t.Parallel()
	w := daily(t)
	volumes := w.protectEncrypted(w.Sim.AddProject("acme"), 2)
	w.RunDue()
	w.Step(time.Minute)
	w.Dispatch()
	for _, v := range volumes {
		w.Sim.DeleteSecretOf(w.LastRecord(v).BackupID)
	}
	w.Reconcile()
	require.Empty(t, w.findings(backup.SecretGone))
	require.Len(t, w.findings(backup.SecretsUnconfirmed), 1)
	w.Sim.RestoreSecretOf(w.LastRecord(volumes[1]).BackupID)
	w.Step(time.Minute)
	w.Reconcile()
	require.Empty(t, w.findings(backup.SecretsUnconfirmed))
	require.Len(t, w.findings(backup.SecretGone), 1)
	w.Sim.DeleteSecretOf(w.LastRecord(volumes[1]).BackupID)
	w.Step(time.Minute)
	w.Reconcile()
	require.Len(t, w.findings(backup.SecretGone), 2, "it had them")
}

// After an operator's confirmation, the secrets that Barbican does not know by ID are recorded as gone, and no others.
func TestMissingSecretsAreRecordedAfterConfirmation(t *testing.T) {
	t.Parallel()
	w, _, volumes := withEncrypted(t, 2, 8)
	for _, v := range volumes[:12] {
		w.Sim.DeleteSecretOf(w.LastRecord(v).BackupID)
	}
	w.Reconcile()
	require.Len(t, w.findings(backup.SecretsUnconfirmed), 1)
	w.Step(time.Minute)
	require.NoError(t, w.DB.ConfirmLost(t.Context()))
	silent := w.Sim.AddFault(cloudsim.Fault{Route: secretRoute, Times: 1, Do: cloudsim.Refuse{Status: 503}})
	defer silent()
	w.Step(time.Minute)
	w.Reconcile()
	require.Equal(t, 11, w.Count("secret_gone_at IS NOT NULL"), "for one secret Barbican returned an error")
	var open bool
	require.NoError(t, w.Pool.QueryRow(t.Context(), `SELECT losses_confirmed_at IS NOT NULL FROM installation`).Scan(&open))
	require.False(t, open, "the word counts once")
	require.Empty(t, w.findings(backup.SecretsUnconfirmed))
	w.Step(time.Minute)
	w.Reconcile()
	require.Equal(t, 12, w.Count("secret_gone_at IS NOT NULL"))
	require.Len(t, w.findings(backup.SecretGone), 12)
}

// If the secrets of several projects are gone at once, Barbican's database may be wrong. This is reported, and nothing is
// recorded.
func TestManyMissingSecretsAreNotRecorded(t *testing.T) {
	t.Parallel()
	w, projects, volumes := withEncrypted(t, 2, 8)
	for _, v := range volumes[:11] {
		w.Sim.DeleteSecretOf(w.LastRecord(v).BackupID)
	}
	for range 2 {
		w.Reconcile()
		w.Step(time.Minute)
	}
	require.Empty(t, w.findings(backup.SecretGone))
	require.Zero(t, w.Count("secret_gone_at IS NOT NULL"))
	found := w.findings(backup.SecretsUnconfirmed)
	require.Len(t, found, 1)
	require.Contains(t, found[0].Detail, "11 of 16 encrypted restore points, in 2 projects")
	require.Contains(t, found[0].Detail, projects[0])
	require.Contains(t, found[0].Detail, "staffeln confirm-lost")
	require.Equal(t, 1, w.logged("error", "finding", "secrets_unconfirmed"))
	w.Sim.RestoreSecretOf(w.LastRecord(volumes[0]).BackupID)
	w.Reconcile()
	require.Empty(t, w.findings(backup.SecretsUnconfirmed))
	require.Len(t, w.findings(backup.SecretGone), 10, "ten are")
}

// If all secrets of one project are gone while others exist, a user has deleted them.
func TestMissingSecretsOfOneProjectAreRecorded(t *testing.T) {
	t.Parallel()
	w, projects, volumes := withEncrypted(t, 2, 12)
	for _, v := range volumes[:12] {
		w.Sim.DeleteSecretOf(w.LastRecord(v).BackupID)
	}
	w.Reconcile()
	found := w.findings(backup.SecretGone)
	require.Len(t, found, 12)
	for _, f := range found {
		require.Equal(t, projects[0], f.ProjectID)
	}
	require.Empty(t, w.findings(backup.SecretsUnconfirmed))
	for _, v := range volumes[12:] {
		w.Sim.DeleteSecretOf(w.LastRecord(v).BackupID)
	}
	w.Step(time.Minute)
	w.Reconcile()
	require.Len(t, w.findings(backup.SecretGone), 12)
	require.Len(t, w.findings(backup.SecretsUnconfirmed), 1, "none is left")
}

// No secret is read in a cloud without encrypted volumes.
func TestUnencryptedCloudIsNotAskedForSecrets(t *testing.T) {
	t.Parallel()
	w := daily(t)
	w.Sim.AddVolume(w.Sim.AddProject("other"), "vault", 1, cloudsim.VolumeOptions{Encrypted: true}) // although there is a Barbican
	w.Protect(w.Sim.AddProject("acme"), "web-1", 2)
	w.Advance(2*day, 6*time.Hour)
	w.Reconcile()
	require.Zero(t, w.Sim.Counts()[secretsRoute]+w.Sim.Counts()[secretRoute])
	require.Zero(t, w.logged("warn", "secrets of encrypted backups"))
}

// The program from which a backup was imported wrote no tag: its secret is watched like that of any backup with a record.
func TestDeletedSecretOfAnUntaggedRestorePointIsAFinding(t *testing.T) {
	t.Parallel()
	w, _, volumes := withEncrypted(t, 1, 1)
	tagged := w.LastRecord(volumes[0])
	untagged := w.Sim.AddBackup(cloudsim.NewBackup{Volume: volumes[0], Name: "vault_secret_1"})
	w.Exec(`UPDATE records SET backup_id = $1 WHERE id = $2`, untagged, tagged.ID)
	w.Sim.RemoveBackup(tagged.BackupID)
	w.Sim.DeleteSecretOf(untagged)
	w.Reconcile()
	found := w.findings(backup.SecretGone)
	require.Len(t, found, 1)
	require.Equal(t, volumes[0], found[0].VolumeID)
}
