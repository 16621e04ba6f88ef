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

// vault makes a server that asks for backups, with encrypted volumes.
func (w *world) vault(project string, volumes int) (volumeIDs []string) {
	server := w.sim.AddServer(project, "vault", map[string]string{w.set.BackupMetadataKey: "true"})
	for range volumes {
		id := w.sim.AddVolume(project, "secret", 1, cloudsim.VolumeOptions{Encrypted: true})
		w.sim.Attach(server, id)
		volumeIDs = append(volumeIDs, id)
	}
	return volumeIDs
}

// filled is a world whose encrypted volumes have a restore point each, which a sweep saw.
func filled(t *testing.T, projects, volumes int, changes ...func(*backup.Settings, *cloudsim.Options)) (w *world, ids, volumeIDs []string) {
	t.Helper()
	w = daily(t, append(changes, func(set *backup.Settings, _ *cloudsim.Options) {
		set.MaxBackupsInProgress, set.MaxBackupsInProgressPerProject = 0, 0
	})...)
	for i := range projects {
		id := w.sim.AddProject(fmt.Sprintf("acme-%d", i))
		ids = append(ids, id)
		volumeIDs = append(volumeIDs, w.vault(id, volumes)...)
	}
	w.beats()
	w.step(time.Minute)
	w.dispatch()
	require.Equal(t, projects*volumes, w.count("state = 'available'"))
	w.sweep()
	w.step(time.Minute)
	return w, ids, volumeIDs
}

// secretless are the findings about secrets, of both kinds.
func (w *world) secretless() int {
	return len(w.findings(backup.SecretGone)) + len(w.findings(backup.SecretsNotBelieved))
}

// A tenant that deletes the secret of a restore point is noticed: nobody can restore that any more.
func TestDeletedSecretOfARestorePointIsAFinding(t *testing.T) {
	for _, release := range cloudsim.Releases() {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			w, projects, volumes := filled(t, 1, 2, slow, func(_ *backup.Settings, o *cloudsim.Options) { o.Release = release })
			require.Zero(t, w.secretless())
			asked := w.sim.Counts()[secretRoute]
			require.Zero(t, asked, "what the list shows is not asked for")
			gone := w.last(volumes[0])
			w.sim.DeleteSecretOf(gone.BackupID)
			w.sweep()
			found := w.findings(backup.SecretGone)
			require.Len(t, found, 1)
			require.Equal(t, projects[0], found[0].ProjectID)
			require.Equal(t, volumes[0], found[0].VolumeID)
			require.Contains(t, found[0].Detail, "1 of 1 restore points")
			require.Equal(t, 1, w.metric("staffeln_findings", "reason", "secret_gone"))
			since := found[0].Since

			w.run(day+12*time.Hour, 6*time.Hour)
			w.sweep()
			found = w.findings(backup.SecretGone)
			require.Len(t, found, 1)
			require.Contains(t, found[0].Detail, "1 of 2 restore points")
			require.Equal(t, since, found[0].Since)
			require.Equal(t, 1, w.logged("warn", "finding", "secret_gone"), "once")

			w.sim.RestoreSecretOf(gone.BackupID)
			w.step(time.Minute)
			w.sweep()
			require.Zero(t, w.secretless(), "Barbican has it again")
			w.sim.DeleteSecretOf(gone.BackupID)
			w.step(time.Minute)
			w.sweep()
			require.Len(t, w.findings(backup.SecretGone), 1)
			w.run(7*day, 6*time.Hour)
			_, there := w.sim.Backup(gone.BackupID)
			require.False(t, there, "its retention is over")
			w.sweep()
			require.Zero(t, w.secretless())
			require.Empty(t, w.sim.UnknownRoutes())
			w.lawful()
		})
	}
}

// Whatever is not Barbican's own 404 by ID proves nothing. It is logged when it begins and when it ends.
func TestSecretsThatCannotBeSeenAreNoFinding(t *testing.T) {
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
		"no answer":               {[]string{secretRoute}, cloudsim.DropBefore{}},
		"a list that is cut":      {[]string{secretsRoute}, refused(http.StatusOK, `{"secrets": [], "total": 7}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _, volumes := filled(t, 1, 2)
			w.sim.DeleteSecretOf(w.last(volumes[0]).BackupID)
			var mends []func()
			for _, route := range c.routes {
				mends = append(mends, w.sim.AddFault(cloudsim.Fault{Route: route, Do: c.effect}))
			}
			for range 3 {
				w.sweep()
				w.step(time.Minute)
			}
			require.Zero(t, w.secretless())
			require.Equal(t, 1, w.logged("warn", "secrets of encrypted backups not looked at"), "once")
			for _, mend := range mends {
				mend()
			}
			w.sweep()
			require.Len(t, w.findings(backup.SecretGone), 1)
			require.Equal(t, 1, w.logged("info", "secrets of encrypted backups are looked at again"))
		})
	}
}

// Where a finding stands and Barbican can no longer be asked, it stays.
func TestSecretsThatAreGoneStayGoneWhileBarbicanIsAway(t *testing.T) {
	t.Parallel()
	w, _, volumes := filled(t, 1, 2)
	w.sim.DeleteSecretOf(w.last(volumes[0]).BackupID)
	w.sweep()
	require.Len(t, w.findings(backup.SecretGone), 1)
	w.sim.SetKeyManager(false)
	w.step(time.Minute)
	w.sweep()
	require.Len(t, w.findings(backup.SecretGone), 1)
}

// A service user without the right to read secrets is told of, once.
func TestServiceUserWithoutRightToSecretsIsTold(t *testing.T) {
	t.Parallel()
	w, projects, volumes := filled(t, 2, 1)
	w.sim.SetSecretRights(w.sim.Cast().Service, projects[0], false)
	w.sim.DeleteSecretOf(w.last(volumes[0]).BackupID)
	w.sim.DeleteSecretOf(w.last(volumes[1]).BackupID)
	for range 2 {
		w.sweep()
		w.step(time.Minute)
	}
	found := w.findings(backup.SecretGone)
	require.Len(t, found, 1, "the other project is looked at")
	require.Equal(t, projects[1], found[0].ProjectID)
	require.Equal(t, 1, w.logged("warn", "secrets of encrypted backups not looked at", projects[0], "forbidden"))
}

// Cinder may keep its keys elsewhere: in a cloud without Barbican nothing is concluded.
func TestCloudWithoutBarbicanHasNoFindingsAboutSecrets(t *testing.T) {
	t.Parallel()
	w := daily(t)
	w.sim.LeaveOut(cloudsim.Barbican, true)
	w.vault(w.sim.AddProject("acme"), 1)
	w.beats()
	w.step(time.Minute)
	w.dispatch()
	for range 2 {
		w.sweep()
		w.step(time.Minute)
	}
	require.Zero(t, w.secretless())
	require.Equal(t, 1, w.logged("warn", "secrets of encrypted backups not looked at", "no key-manager"))
	require.Zero(t, w.sim.Counts()[secretsRoute]+w.sim.Counts()[secretRoute])
}

// As long as no secret of ours was seen, Barbican may not be where Cinder keeps them.
func TestBarbicanThatNeverHadOurSecretsIsNotBelieved(t *testing.T) {
	t.Parallel()
	w := daily(t)
	volumes := w.vault(w.sim.AddProject("acme"), 2)
	w.beats()
	w.step(time.Minute)
	w.dispatch()
	for _, v := range volumes {
		w.sim.DeleteSecretOf(w.last(v).BackupID)
	}
	w.sweep()
	require.Empty(t, w.findings(backup.SecretGone))
	require.Len(t, w.findings(backup.SecretsNotBelieved), 1)
	w.sim.RestoreSecretOf(w.last(volumes[1]).BackupID)
	w.step(time.Minute)
	w.sweep()
	require.Empty(t, w.findings(backup.SecretsNotBelieved))
	require.Len(t, w.findings(backup.SecretGone), 1)
	w.sim.DeleteSecretOf(w.last(volumes[1]).BackupID)
	w.step(time.Minute)
	w.sweep()
	require.Len(t, w.findings(backup.SecretGone), 2, "it had them")
}

// An operator who has looked lets them be recorded: those that Barbican does not know by their IDs, and those alone.
func TestSecretsGoneForGoodAreAcceptedOnce(t *testing.T) {
	t.Parallel()
	w, _, volumes := filled(t, 2, 8)
	for _, v := range volumes[:12] {
		w.sim.DeleteSecretOf(w.last(v).BackupID)
	}
	w.sweep()
	require.Len(t, w.findings(backup.SecretsNotBelieved), 1)
	w.step(time.Minute)
	require.NoError(t, w.db.AcceptLosses(t.Context()))
	silent := w.sim.AddFault(cloudsim.Fault{Route: secretRoute, Times: 1, Do: cloudsim.Refuse{Status: 503}})
	defer silent()
	w.step(time.Minute)
	w.sweep()
	require.Equal(t, 11, w.count("secret_gone_at IS NOT NULL"), "of one Barbican said nothing")
	var open bool
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT losses_confirmed_at IS NOT NULL FROM installation`).Scan(&open))
	require.False(t, open, "the word counts once")
	require.Empty(t, w.findings(backup.SecretsNotBelieved))
	w.step(time.Minute)
	w.sweep()
	require.Equal(t, 12, w.count("secret_gone_at IS NOT NULL"))
	require.Len(t, w.findings(backup.SecretGone), 12)
}

// Where the secrets of several projects are gone at once, Barbican's database is not the one that it was. It is told, and
// nothing is recorded.
func TestManySecretsGoneAtOnceAreNotBelieved(t *testing.T) {
	t.Parallel()
	w, projects, volumes := filled(t, 2, 8)
	for _, v := range volumes[:11] {
		w.sim.DeleteSecretOf(w.last(v).BackupID)
	}
	for range 2 {
		w.sweep()
		w.step(time.Minute)
	}
	require.Empty(t, w.findings(backup.SecretGone))
	require.Zero(t, w.count("secret_gone_at IS NOT NULL"))
	found := w.findings(backup.SecretsNotBelieved)
	require.Len(t, found, 1)
	require.Contains(t, found[0].Detail, "11 of 16 encrypted restore points, in 2 projects")
	require.Contains(t, found[0].Detail, projects[0])
	require.Contains(t, found[0].Detail, "staffeln accept-losses")
	require.Equal(t, 1, w.logged("warn", "finding", "secrets_not_believed"))
	w.sim.RestoreSecretOf(w.last(volumes[0]).BackupID)
	w.sweep()
	require.Empty(t, w.findings(backup.SecretsNotBelieved))
	require.Len(t, w.findings(backup.SecretGone), 10, "ten are")
}

// All secrets of one project's restore points gone, while others' are there, are its user's doing.
func TestManySecretsOfOneProjectAreBelieved(t *testing.T) {
	t.Parallel()
	w, projects, volumes := filled(t, 2, 12)
	for _, v := range volumes[:12] {
		w.sim.DeleteSecretOf(w.last(v).BackupID)
	}
	w.sweep()
	found := w.findings(backup.SecretGone)
	require.Len(t, found, 12)
	for _, f := range found {
		require.Equal(t, projects[0], f.ProjectID)
	}
	require.Empty(t, w.findings(backup.SecretsNotBelieved))
	for _, v := range volumes[12:] {
		w.sim.DeleteSecretOf(w.last(v).BackupID)
	}
	w.step(time.Minute)
	w.sweep()
	require.Len(t, w.findings(backup.SecretGone), 12)
	require.Len(t, w.findings(backup.SecretsNotBelieved), 1, "none is left")
}

// A cloud whose volumes are not encrypted is not asked for secrets.
func TestUnencryptedCloudIsNotAskedForSecrets(t *testing.T) {
	t.Parallel()
	w := daily(t)
	w.sim.AddVolume(w.sim.AddProject("other"), "vault", 1, cloudsim.VolumeOptions{Encrypted: true}) // there is a Barbican
	w.protect(w.sim.AddProject("acme"), "web-1", 2)
	w.run(2*day, 6*time.Hour)
	w.sweep()
	require.Zero(t, w.sim.Counts()[secretsRoute]+w.sim.Counts()[secretRoute])
	require.Zero(t, w.logged("warn", "secrets of encrypted backups"))
}
