//go:build openstack

package lab

import (
	"fmt"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/backups"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/osinherit"
	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit/private"
)

// Cinder calls our delete check, with the policy line from docs/cinder.md. Tenants cannot delete automated backups, and can
// delete their own. The retention works with each role that the program may have. Without our database no tenant can delete
// anything. The check also works with TLS and a client certificate.
//
// The test writes Cinder's policy file and restarts cinder-api twice, so it needs a laboratory, like TestFaultsOnOpenStack.
func TestDeleteCheckOnOpenStack(t *testing.T) {
	run := newLabRun(t)
	run.needDaemons(t)
	s := run.newTest(t, "check")
	acme, globex := s.tenant("acme"), s.tenant("globex")
	c := &labCheck{alice: acme, bob: globex, one: acme.boot("one", 1, map[string]string{s.key: "true"}), two: globex.boot("two", 1, map[string]string{s.key: "true"})}
	c.own = map[*labClient]string{acme: acme.makeVolume("own"), globex: globex.makeVolume("own")}
	postgres, err := private.StartPostgres(s.ctx(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = postgres.Stop() })
	account := s.account("account")
	c.labProgram = s.start(account.settings(map[string]string{
		"STAFFELN_DATABASE_URL": postgres.URL, "STAFFELN_BACKUP_MIN_INTERVAL": "15", "STAFFELN_FULL_BACKUP_DEPTH": "0", "STAFFELN_RETENTION_TIME": "40s",
		"STAFFELN_POST_SETTLE_TIME": "90s",
	}))
	c.env["STAFFELN_API_LISTEN"] = rig.FreeAddress(t)
	address := c.env["STAFFELN_API_LISTEN"]
	c.serve("http")
	c.newest(c.one)
	c.newest(c.two)

	c.rule("project_id:%%(project_id)s and http://%s/v1/backup?backup_id=%%(id)s", address)
	c.checkTenants()
	c.checkWithCLI(address)
	// Only for the test's own projects, because others use the cloud at the same time.
	c.rule("(not (project_id:%s or project_id:%s) or http://%s/v1/backup?backup_id=%%(id)s) and project_id:%%(project_id)s", acme.project, globex.project, address)
	require.NoError(t, postgres.Stop())
	for _, client := range []*labClient{c.alice, c.bob} {
		require.Equal(t, "403", c.deleteBackup(client, c.mine[client]), "a tenant, of its own backup, while our database is away")
	}
	require.NoError(t, postgres.Restart(s.ctx()))
	c.eventuallyReady("http", address)

	c.checkTLS()
	c.checkRetention("as inherited admin", "")
	account.become("member")
	c.restart(nil) // Cinder caches the roles of a token for minutes
	c.checkRetention("as inherited member", "own_removal")
	c.end()
	t.Logf("the test took %s", time.Since(s.began).Round(time.Second))
}

// labCheck is the program, and the users who request deletions.
type labCheck struct {
	*labProgram

	alice, bob *labClient
	one, two   *labServer
	own        map[*labClient]string // a volume of each tenant that is not protected
	mine       map[*labClient]string // a backup of it that the tenant created
	api        *rig.Process
}

// newest returns the newest restore point of a server that also exists in Cinder: records show a deletion by the administrator
// only after the next reconcile run.
func (c *labCheck) newest(server *labServer) (backupID string) {
	c.t.Helper()
	c.until("a restore point of "+server.Name, 3*time.Minute, func() bool {
		all := c.records("volume_id = $1 AND state = 'available'", server.Volumes[0])
		if len(all) == 0 {
			return false
		}
		backupID = all[len(all)-1].BackupID
		is, err := backups.Get(c.ctx(), c.admin.volume, backupID).Extract()
		return err == nil && is.Status == "available"
	})
	return backupID
}

// createBackup creates a tenant's own backup.
func (c *labCheck) createBackup(client *labClient) string {
	c.t.Helper()
	client.awaitVolume(c.own[client], "available")
	b, err := backups.Create(c.ctx(), client.volume, backups.CreateOpts{VolumeID: c.own[client], Name: client.prefix + "-manual"}).Extract()
	require.NoError(c.t, err)
	c.until("the tenant's backup is available", 2*time.Minute, func() bool {
		is, err := backups.Get(c.ctx(), client.volume, b.ID).Extract()
		require.NoError(c.t, err)
		return is.Status == "available"
	})
	return b.ID
}

// deleteBackup returns the status of a deletion request; 202 means accepted.
func (c *labCheck) deleteBackup(client *labClient, backupID string) string {
	c.t.Helper()
	err := backups.Delete(c.ctx(), client.volume, backupID).ExtractErr()
	if err == nil {
		return "202"
	}
	for _, code := range []int{http.StatusForbidden, http.StatusInternalServerError, http.StatusBadRequest, http.StatusNotFound} {
		if gophercloud.ResponseCodeIs(err, code) {
			return fmt.Sprint(code)
		}
	}
	require.NoError(c.t, err)
	return ""
}

// checkTenants tests the deletions of tenants and of the administrator.
func (c *labCheck) checkTenants() {
	c.t.Helper()
	c.mine = map[*labClient]string{}
	for client, server := range map[*labClient]*labServer{c.alice: c.one, c.bob: c.two} {
		require.Equal(c.t, "403", c.deleteBackup(client, c.newest(server)), "a tenant, of an automated backup")
		require.Equal(c.t, "202", c.deleteBackup(client, c.createBackup(client)), "a tenant, of its own backup")
		c.mine[client] = c.createBackup(client)
	}
	require.Equal(c.t, "202", c.deleteBackup(c.admin, c.newest(c.one)), "the administrator, of an automated backup")
	c.until("the refusals are in the table", time.Minute, func() bool {
		return c.recorded("refused", "on_record", c.alice) && c.recorded("refused", "on_record", c.bob)
	})
}

// recorded reports whether the delete check has recorded a request of a client's project.
func (c *labCheck) recorded(response, judgement string, client *labClient) (is bool) {
	c.t.Helper()
	require.NoError(c.t, c.db.QueryRow(c.ctx(), `SELECT EXISTS (SELECT FROM delete_checks WHERE outcome = $1 AND judgement = $2 AND (project_id = $3 OR NOT verified))`,
		response, judgement, client.project).Scan(&is))
	return is
}

// checkWithCLI sends the check's requests with curl and wget.
func (c *labCheck) checkWithCLI(address string) {
	c.t.Helper()
	for id, want := range map[string]string{c.newest(c.two): "False", "5438dbb2-4eec-4a90-b8d6-5b0d7dfaa56b": "True"} {
		for _, program := range [][]string{{"curl", "-sS", "-X", "POST"}, {"wget", "-q", "-O", "-", "--method=POST"}} {
			command := exec.CommandContext(c.ctx(), program[0], append(program[1:], "http://"+address+"/v1/backup?backup_id="+id)...)
			output, err := command.Output()
			require.NoError(c.t, err, "%v", program)
			require.Equal(c.t, want, string(output), "%v", program)
		}
	}
}

// checkRetention waits for removals that begin from now on, and for the check's responses about them.
func (c *labCheck) checkRetention(how, judgement string) {
	c.t.Helper()
	began := time.Now()
	c.until("retention removes a backup "+how, 4*time.Minute, func() bool {
		return c.count("state = 'deleted' AND deletion_requested_at > $1 AND project_id = $2", began, c.alice.project) > 0 &&
			c.count("state = 'deleted' AND deletion_requested_at > $1 AND project_id = $2", began, c.bob.project) > 0
	})
	if judgement != "" {
		c.until("the check was asked about it", time.Minute, func() bool {
			return c.recorded("allowed", judgement, c.alice) && c.recorded("allowed", judgement, c.bob)
		})
	}
	c.t.Logf("%s: removed after %s", how, time.Since(began).Round(time.Second))
}

// become gives the account another inherited role instead of admin.
func (a *labAccount) become(role string) {
	a.t.Helper()
	admin := a.labTest.admin
	require.NoError(a.t, osinherit.Assign(a.ctx(), admin.identity, a.role(role), osinherit.AssignOpts{UserID: a.user, DomainID: admin.domain}).ExtractErr())
	a.inherit(false)
}
