//go:build openstack

package lab

import (
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/quotasets"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/projects"
	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
)

// Tenants shelve and resize servers with protected volumes. No incomplete listing ends the protection.
//
// It needs the same as TestLabOnOpenStack.
func TestShelvedAndResizedServersOnOpenStack(t *testing.T) {
	s := newLabRun(t).newTest(t, "situations")
	acme := s.tenant("acme")
	shelved := acme.boot("shelved", 1, map[string]string{s.key: "true", s.retentionKey(): "15s"})
	resized := acme.boot("resized", 1, map[string]string{s.key: "true"})
	p := s.situations(shelved, resized)
	p.shelve(shelved)
	p.resize(resized)
	require.Zero(t, p.ends(), "protection that ended")
	for _, one := range []*labServer{shelved, resized} {
		one.setMetadata(s.key, "false")
	}
	p.until("protection ends by metadata", time.Minute, func() bool { return !p.protected(shelved) && !p.protected(resized) })
	p.requireAgreement()
	p.end()
	t.Logf("the test took %s", time.Since(s.began).Round(time.Second))
}

// A project is deleted together with its backups: its records are closed, and no operator must confirm a loss.
func TestPurgedProjectOnOpenStack(t *testing.T) {
	s := newLabRun(t).newTest(t, "purged")
	leaver := s.tenant("leaver")
	purged := leaver.boot("purged", 1, map[string]string{s.key: "true"})
	p := s.situations(purged)
	p.purge(leaver, purged)
	p.end()
}

// situations starts the program and waits until each volume has two restore points. There is no grace, so the restore points
// of a shelved server's volume are kept only because the volume is protected.
func (s *labTest) situations(of ...*labServer) *labSituations {
	s.t.Helper()
	p := &labSituations{s.start(map[string]string{
		"STAFFELN_BACKUP_MIN_INTERVAL": "10s", "STAFFELN_FULL_BACKUP_DEPTH": "1", "STAFFELN_RETENTION_TIME": "1h", "STAFFELN_MIN_RESTORE_POINTS": "2",
	})}
	for _, one := range of {
		p.until("two backups of "+one.Name, 3*time.Minute, func() bool {
			p.readBackups()
			return p.count("volume_id = $1 AND state = 'available'", one.Volumes[0]) >= 2
		})
	}
	return p
}

type labSituations struct{ *labProgram }

// protected reports whether the volume is protected by the newest plan.
func (p *labSituations) protected(of *labServer) (is bool) {
	p.t.Helper()
	require.NoError(p.t, p.db.QueryRow(p.ctx(), `SELECT protected FROM volumes WHERE id = $1`, of.Volumes[0]).Scan(&is))
	return is
}

// ends counts the ended protections of volumes in existing projects.
func (p *labSituations) ends() (n int) {
	p.t.Helper()
	require.NoError(p.t, p.db.QueryRow(p.ctx(), `SELECT count(*) FROM protection_ends WHERE reason <> 'volume_deleted'`).Scan(&n))
	return n
}

// during watches the volume for a while: it must be protected at every check.
func (p *labSituations) during(of *labServer, span time.Duration, done func() bool) {
	p.t.Helper()
	over := time.Now().Add(span)
	p.until("the situation lasted long enough", 3*time.Minute, func() bool {
		p.readBackups()
		require.True(p.t, p.protected(of), "volume of %s", of.Name)
		return time.Now().After(over) && done()
	})
}

// shelve shelves a server for many plans, and for longer than its restore points are kept: the floor of two is kept. After the
// unshelve the volume is backed up again.
func (p *labSituations) shelve(of *labServer) {
	p.t.Helper()
	volume, h := of.Volumes[0], of.client
	require.NoError(p.t, servers.Shelve(p.ctx(), h.compute, of.ID).ExtractErr())
	p.until("the volume is reserved, and not attached", time.Minute, func() bool {
		v, err := volumes.Get(p.ctx(), h.volume, volume).Extract()
		require.NoError(p.t, err)
		return v.Status == "reserved" && len(v.Attachments) == 0
	})
	p.during(of, 30*time.Second, func() bool {
		return p.count("volume_id = $1 AND state IN ('planned', 'creating', 'deleting')", volume) == 0
	})
	require.GreaterOrEqual(p.t, p.count("volume_id = $1 AND state = 'available'", volume), 2, "the floor")
	output := p.text("explain", volume)
	require.NotContains(p.t, output, "not_protected")
	p.t.Logf("shelved for 30 s, retention 15 s:\n%s", output)
	require.NoError(p.t, servers.Unshelve(p.ctx(), h.compute, of.ID, servers.UnshelveOpts{}).ExtractErr())
	began := time.Now()
	p.until("it is backed up again", 2*time.Minute, func() bool {
		p.readBackups()
		return p.count("volume_id = $1 AND state = 'available' AND data_timestamp > $2", volume, began) > 0
	})
}

// resize resizes a server, leaves the resize unconfirmed for several plans, and confirms it. A backup that begins during a
// resize would leave the server in ERROR, because Nova cannot attach a volume that is being backed up. So no backup is due
// meanwhile; one is requested while the resize waits for its confirmation.
func (p *labSituations) resize(of *labServer) {
	p.t.Helper()
	p.restart(map[string]string{"STAFFELN_BACKUP_MIN_INTERVAL": "1h"})
	volume, h := of.Volumes[0], of.client
	larger, err := flavors.Create(p.ctx(), p.admin.compute, flavors.CreateOpts{Name: p.prefix + "-larger", RAM: 128, VCPUs: 1, Disk: new(0)}).Extract()
	require.NoError(p.t, err)
	p.t.Cleanup(func() { _ = flavors.Delete(p.ctx(), p.admin.compute, larger.ID).ExtractErr() })
	status := func() string {
		is, err := servers.Get(p.ctx(), h.compute, of.ID).Extract()
		require.NoError(p.t, err)
		require.NotEqual(p.t, "ERROR", is.Status, "server %s: %v", of.Name, is.Fault)
		return is.Status
	}
	idle := func() bool { return p.count("volume_id = $1 AND state IN ('planned', 'creating')", volume) == 0 }
	p.until("nothing of it is in progress", 2*time.Minute, func() bool { p.readBackups(); return idle() && p.admin.volumeStatus(volume) == "in-use" })
	require.NoError(p.t, servers.Resize(p.ctx(), h.compute, of.ID, servers.ResizeOpts{FlavorRef: larger.ID}).ExtractErr())
	p.during(of, time.Second, func() bool { return status() == "VERIFY_RESIZE" })
	before := p.count("volume_id = $1 AND state = 'available'", volume)
	p.until("a backup is planned", time.Minute, func() bool { // the newest plan may have seen the volume during the resize
		_, code := rig.Output(p.t, p.env, "backup-now", volume, "--who", person)
		return code == 0
	})
	p.during(of, 10*time.Second, func() bool { return idle() && p.count("volume_id = $1 AND state = 'available'", volume) > before })
	require.NoError(p.t, servers.ConfirmResize(p.ctx(), h.compute, of.ID).ExtractErr())
	p.during(of, 10*time.Second, func() bool { return status() == "ACTIVE" })
}

// purge deletes a project as an operator does: servers, backups, volumes, and then the project itself. Its records are closed.
func (p *labSituations) purge(h *labClient, of *labServer) {
	p.t.Helper()
	volume := of.Volumes[0]
	h.tidy()
	require.NoError(p.t, quotasets.Delete(p.ctx(), p.admin.volume, h.project).ExtractErr())
	require.NoError(p.t, projects.Delete(p.ctx(), p.admin.identity, h.project).ExtractErr())
	h.left = true
	p.until("its records are closed", 2*time.Minute, func() bool {
		p.readBackups()
		return p.count("volume_id = $1 AND (state NOT IN ('lost', 'deleted', 'failed', 'withdrawn') OR state = 'failed' AND backup_id IS NOT NULL)", volume) == 0
	})
	require.Positive(p.t, p.count("volume_id = $1 AND state = 'lost'", volume))
	require.Zero(p.t, p.found("losses_unconfirmed"))
	p.t.Logf("a project purged with its backups:\n%s", p.describe(p.records("volume_id = $1", volume)))
}

// found counts the findings with a reason.
func (p *labSituations) found(reason string) (n int) {
	p.t.Helper()
	require.NoError(p.t, p.db.QueryRow(p.ctx(), `SELECT count(*) FROM findings WHERE reason = $1`, reason).Scan(&n))
	return n
}
