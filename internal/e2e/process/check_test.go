package process

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit"
	"staffeln/internal/testkit/private"
	"staffeln/openstack"
)

// With our line in Cinder's policy a tenant cannot delete automated backups, and can delete its own. While Staffeln's database
// is down it can delete nothing. Refused attempts are in the table, and the program's own removals work.
func TestDeleteCheckByProcesses(t *testing.T) {
	t.Parallel()
	postgres, err := private.StartPostgres(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = postgres.Stop() })
	address := rig.FreeAddress(t)
	h := rig.NewDeployment(t, cloudsim.Options{BackupTime: cloudsim.Fixed(100 * time.Millisecond), DeleteTime: cloudsim.Fixed(100 * time.Millisecond)}, map[string]string{
		"STAFFELN_DATABASE_URL": postgres.URL, "STAFFELN_API_LISTEN": address, "STAFFELN_BACKUP_MIN_INTERVAL": "0", "STAFFELN_FULL_BACKUP_DEPTH": "0",
		"STAFFELN_RETENTION_TIME": "5s", "STAFFELN_RETENTION_SERVICE_PERIOD": "2", "STAFFELN_API_REFUSAL_BURST": "3",
	})
	h.DB, err = pgxpool.New(h.Ctx, postgres.URL)
	require.NoError(t, err)
	t.Cleanup(h.DB.Close)
	c := newCinderUser(h, "alice", "acme")
	protected := h.Sim.AddVolume(c.project, "data", 1)
	h.Sim.Attach(h.Sim.AddServer(c.project, "web", map[string]string{"__staffeln_backup": "true"}), protected)
	own := h.Sim.AddVolume(c.project, "own", 1)
	h.Sim.AskBeforeDelete("http://" + address + "/v1/backup?backup_id=%(id)s")
	rig.Launch(t, h.Env, "api")
	worker, scheduler := rig.Launch(t, h.Env, "worker"), rig.Launch(t, h.Env, "scheduler")

	h.Eventually("an automated backup was removed by retention", func() bool { return h.Count("state = 'deleted'") > 0 })
	scheduler.Stop()
	worker.Stop() // so that only tenants delete
	automated := newestOf(h, "state = 'available' AND volume_id = $1", protected)
	manual := []string{c.createBackup(own), c.createBackup(own)}

	require.Equal(t, http.StatusForbidden, c.deleteBackup(automated), "an automated backup")
	require.Equal(t, http.StatusAccepted, c.deleteBackup(manual[0]), "one of its own")
	h.Eventually("the one of its own is gone", func() bool { return len(h.Sim.BackupsOf(own)) == 1 })

	require.NoError(t, postgres.Stop())
	for _, id := range []string{automated, manual[1]} {
		require.Equal(t, http.StatusForbidden, c.deleteBackup(id), "while the database is away")
		status, text := checkDirectly(t, address, id)
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.NotContains(t, text, "True")
	}
	require.NoError(t, postgres.Restart(h.Ctx))
	h.Eventually("the api responds again", func() bool { return rig.Responds(t, address, "http://127.0.0.1:8808/readyz") })
	require.Equal(t, http.StatusForbidden, c.deleteBackup(automated))
	require.Equal(t, http.StatusForbidden, c.deleteBackup(automated), "the third is a burst")
	require.Equal(t, http.StatusAccepted, c.deleteBackup(manual[1]))

	var line struct {
		BackupID  string `json:"backup_id"`
		UserID    string `json:"user_id"`
		ProjectID string `json:"project_id"`
		Outcome   string
		Judgement string
		Roles     string
		Asked     int
	}
	h.Eventually("the refusals are in the table", func() bool {
		out, code := rig.Output(t, h.Env, "audit", "deletions", "--json")
		require.Zero(t, code, out)
		var output struct{ Lines []json.RawMessage }
		require.NoError(t, json.Unmarshal([]byte(out), &output), out)
		require.LessOrEqual(t, len(output.Lines), 1, "only the refusals")
		if len(output.Lines) == 0 {
			return false
		}
		require.NoError(t, json.Unmarshal(output.Lines[0], &line))
		return line.Asked == 3
	})
	require.Equal(t, []string{"", "", "", "refused", "on_record", ""}, []string{line.BackupID, line.UserID, line.ProjectID, line.Outcome, line.Judgement, line.Roles},
		"no client certificate is required, so no user is named")
	status, text := ask(t, http.MethodGet, "http://"+address+"/metrics", "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "staffeln_delete_refusal_bursts_total 1\n")
	require.NotEmpty(t, h.Sim.BackupsOf(protected), "nobody took them")
}

func newestOf(h *rig.Deployment, where string, args ...any) (backupID string) {
	h.T.Helper()
	require.NoError(h.T, h.DB.QueryRow(h.Ctx, `SELECT backup_id FROM records WHERE `+where+` ORDER BY planned_at DESC LIMIT 1`, args...).Scan(&backupID))
	return backupID
}

// checkDirectly sends a check like a person with curl.
func checkDirectly(t *testing.T, address, backupID string) (status int, text string) {
	t.Helper()
	got := browse(t, "http://"+address+"/v1/backup?"+url.Values{"backup_id": {backupID}}.Encode(), url.Values{})
	return got.StatusCode, got.text
}

// cinderUser is a project member who uses Cinder.
type cinderUser struct {
	h              *rig.Deployment
	user, project  string
	token, service string // URL of Cinder for the project
}

func newCinderUser(h *rig.Deployment, name, project string) *cinderUser {
	h.T.Helper()
	c := &cinderUser{h: h, project: h.Sim.AddProject(project)}
	c.user = h.Sim.AddUser(name, name+"-secret", "")
	h.Sim.Grant(c.user, c.project, "member")
	h.Sim.Grant(c.user, c.project, "reader") // Keystone implies this role
	credentials, err := openstack.FromEnv(func(variable string) string { return h.Env[variable] })
	require.NoError(h.T, err)
	keystone, err := openstack.NewKeystone(credentials, func(string, string, int, time.Duration) {})
	require.NoError(h.T, err)
	defer keystone.Close()
	c.token, _, err = keystone.SignIn(h.Ctx, openstack.Login{User: name, Domain: "Default", Password: name + "-secret", Project: project})
	require.NoError(h.T, err)
	cloud, _, _ := strings.Cut(h.Env["OS_AUTH_URL"], "/identity")
	c.service = cloud + "/volume/v3/" + c.project
	return c
}

func (c *cinderUser) send(method, path string, body any) (status int, reply map[string]any) {
	c.h.T.Helper()
	text, err := json.Marshal(body)
	require.NoError(c.h.T, err)
	ctx, cancel := context.WithTimeout(c.h.Ctx, time.Minute)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, method, c.service+path, bytes.NewReader(text))
	require.NoError(c.h.T, err)
	q.Header.Set("X-Auth-Token", c.token)
	q.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(q)
	require.NoError(c.h.T, err)
	defer response.Body.Close()                       //nolint:errcheck // the body is read completely
	_ = json.NewDecoder(response.Body).Decode(&reply) // a deletion has no body
	return response.StatusCode, reply
}

// createBackup creates a tenant's own backup.
func (c *cinderUser) createBackup(volume string) (backupID string) {
	c.h.T.Helper()
	status, reply := c.send(http.MethodPost, "/backups", map[string]any{"backup": map[string]any{"volume_id": volume, "name": "manual"}})
	require.Equal(c.h.T, http.StatusAccepted, status, reply)
	made, _ := reply["backup"].(map[string]any)
	backupID, _ = made["id"].(string)
	testkit.Eventually(c.h.T, "the tenant's backup is available", time.Minute, func() bool {
		for _, b := range c.h.Sim.BackupsOf(volume) {
			if b.ID == backupID {
				return b.Status == "available"
			}
		}
		return false
	})
	return backupID
}

// deleteBackup returns the status of a deletion request.
func (c *cinderUser) deleteBackup(backupID string) int {
	c.h.T.Helper()
	status, _ := c.send(http.MethodDelete, "/backups/"+backupID, nil)
	return status
}
