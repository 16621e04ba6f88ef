package openstack

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

const (
	secretsRoute = "GET /key-manager/v1/secrets"
	secretRoute  = "GET /key-manager/v1/secrets/{secret}"
)

// vault returns a tenant with an encrypted volume, and a backup of the volume.
func vault(t *testing.T, change ...func(*cloudsim.Options)) (n *tenant, b backup.Backup) {
	t.Helper()
	o := cloudsim.Options{}
	for _, c := range change {
		c(&o)
	}
	w := newSimulation(t, o)
	project := w.sim.AddProject("acme")
	n = &tenant{simulation: w, project: project, volume: w.sim.AddVolume(project, "vault", 1, cloudsim.VolumeOptions{Encrypted: true})}
	n.cloud = w.connect(t, retrying)
	b = n.backup(t)
	return n, b
}

func TestSecretOfBackupIsListedAndDeleted(t *testing.T) {
	t.Parallel()
	for _, release := range cloudsim.Releases() {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			n, b := vault(t, func(o *cloudsim.Options) { o.Release = release })
			ctx := t.Context()
			require.NotEmpty(t, b.SecretID)
			var listed []backup.Backup
			require.NoError(t, n.cloud.AllBackups(ctx, func(page []backup.Backup) error { listed = append(listed, page...); return nil }))
			require.Len(t, listed, 1)
			assert.Equal(t, b.SecretID, listed[0].SecretID)
			for i := range 130 { // more than a page
				n.sim.AddVolume(n.project, fmt.Sprint("vault-", i), 1, cloudsim.VolumeOptions{Encrypted: true})
			}
			all, err := n.cloud.Secrets(ctx, n.project)
			require.NoError(t, err)
			assert.Len(t, all, 132)
			assert.True(t, all[b.SecretID])
			require.NoError(t, n.cloud.Secret(ctx, n.project, b.SecretID))

			n.sim.DeleteSecretOf(b.ID)
			all, err = n.cloud.Secrets(ctx, n.project)
			require.NoError(t, err)
			assert.Len(t, all, 131)
			assert.False(t, all[b.SecretID])
			requireMeaning(t, backup.MeansNotFound, n.cloud.Secret(ctx, n.project, b.SecretID))
			assert.Empty(t, n.sim.UnknownRoutes())
		})
	}
}

// Only Barbican's own response that it has no such secret proves that the secret is gone.
func TestOnlyBarbicansResponseProvesMissingSecret(t *testing.T) {
	t.Parallel()
	respond := func(status int, kind, body string) cloudsim.Effect {
		return cloudsim.Refuse{Status: status, Body: body, Header: http.Header{"Content-Type": {kind}}}
	}
	for name, c := range map[string]struct {
		effect cloudsim.Effect
		means  backup.Meaning
	}{
		"a proxy's page":        {respond(404, "text/html", "<html>404 Not Found. Secret not found.</html>"), backup.MeansUnavailable},
		"another service's 404": {respond(404, "application/json", `{"itemNotFound": {"code": 404, "message": "Secret not found."}}`), backup.MeansUnavailable},
		"a missing route":       {respond(404, "application/json", `{"code": 404, "title": "Not Found", "description": "The resource could not be found."}`), backup.MeansUnavailable},
		"an ID that is none":    {respond(404, "application/json", `{"code": 404, "title": "Not Found", "description": "Not Found. Provided secret id is invalid."}`), backup.MeansUnavailable},
		"another code within":   {respond(404, "application/json", `{"code": 500, "title": "Not Found", "description": "Secret not found."}`), backup.MeansUnavailable},
		"away":                  {respond(503, "text/html", "<html></html>"), backup.MeansUnavailable},
		"gone elsewhere":        {respond(410, "application/json", `{"code": 410, "title": "Gone", "description": "Secret not found."}`), backup.MeansUnavailable},
		"garbage":               {cloudsim.GarbageBody{}, backup.MeansUnavailable},
		"another secret":        {respond(200, "application/json", `{"secret_ref": "http://b/v1/secrets/00000000-1111-2222-3333-444444444444"}`), backup.MeansUnavailable},
		"no response":           {cloudsim.DropBefore{}, backup.MeansUnavailable},
		"no right":              {respond(403, "application/json", `{"code": 403, "title": "Forbidden", "description": "Secret retrieval attempt not allowed - please review your user/project privileges"}`), backup.MeansForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, b := vault(t)
			n.sim.AddFault(cloudsim.Fault{Route: secretRoute, Do: c.effect})
			n.sim.AddFault(cloudsim.Fault{Route: secretsRoute, Do: c.effect})
			fault := requireFault(t, c.means, n.cloud.Secret(t.Context(), n.project, b.SecretID))
			assert.False(t, fault.Unknown)
			_, err := n.cloud.Secrets(t.Context(), n.project)
			requireMeaning(t, c.means, err)
		})
	}
}

// A list that is incomplete or malformed is an error. Barbican may return shorter pages than requested.
func TestIncompleteListOfSecretsIsAnError(t *testing.T) {
	t.Parallel()
	n, _ := vault(t)
	page := func(skip int, body string) func() {
		return n.sim.AddFault(cloudsim.Fault{Route: secretsRoute, Skip: skip, Do: cloudsim.Refuse{Status: 200, Body: body, Header: http.Header{"Content-Type": {"application/json"}}}})
	}
	for name, body := range map[string]string{
		"breaks off": `{"secrets": [], "total": 5}`, "no total": `{"secrets": []}`, "no secrets": `{"total": 0}`, "another object": `{}`, "a list": `[]`,
	} {
		endFault := page(0, body)
		_, err := n.cloud.Secrets(t.Context(), n.project)
		requireMeaning(t, backup.MeansUnavailable, err)
		endFault()
		_ = name
	}
	defer page(0, `{"secrets": [{"secret_ref": "http://b:9311/v1/secrets/ABC"}], "total": 3, "next": "http://elsewhere/v1/secrets"}`)()
	before := n.sim.Counts()[secretsRoute]
	all, err := n.cloud.Secrets(t.Context(), n.project)
	require.NoError(t, err)
	assert.Equal(t, map[string]bool{"abc": true}, all)
	assert.Equal(t, 3, n.sim.Counts()[secretsRoute]-before)
}

// A tenant may make any number of secrets: the list is not read to its end.
func TestListOfSecretsIsBounded(t *testing.T) {
	t.Parallel()
	n, _ := vault(t)
	n.sim.AddFault(cloudsim.Fault{Route: secretsRoute, Do: cloudsim.Refuse{Status: 200, Body: `{"secrets": [{"secret_ref": "x/y"}], "total": 1000000}`}})
	_, err := n.cloud.Secrets(t.Context(), n.project)
	require.NoError(t, err)
	assert.Equal(t, secretsPages, n.sim.Counts()[secretsRoute])
}

func TestCloudWithoutBarbican(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	_, err := n.cloud.Secrets(t.Context(), n.project)
	requireMeaning(t, backup.MeansUnavailable, err)
	require.ErrorContains(t, err, "no key-manager")
	requireMeaning(t, backup.MeansUnavailable, n.cloud.Secret(t.Context(), n.project, "s"))
}

// The key of Cinder's ConfKeyManager is in cinder.conf: it is not a secret that could be deleted.
func TestFixedKeyHasNoSecret(t *testing.T) {
	t.Parallel()
	b := backupJSON{EncryptionKeyID: fixedKey}.backup("p")
	assert.True(t, b.Encrypted)
	assert.Empty(t, b.SecretID)
	assert.Equal(t, "ab", backupJSON{EncryptionKeyID: "AB"}.backup("p").SecretID)
}
