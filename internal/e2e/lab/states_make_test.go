//go:build openstack

package lab

import (
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/backups"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/users"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/e2e/rig"
)

// metadataStates are those that a tenant makes by the metadata of a server, one after the other on the same one.
func (p *labStates) metadataStates() {
	p.t.Helper()
	volume := p.web.Volumes[0]
	p.web.setMetadata(p.retentionKey(), "2d")
	p.shows("shorter retention announced", volume, labShown{status: "retention_shortened", explain: "retention_shortened"})
	p.web.setMetadata(p.retentionKey(), "long")
	p.shows("retention not readable", volume, labShown{status: "retention_metadata_unreadable", explain: "retention_metadata_unreadable"})
	p.web.setMetadata(p.key, "perhaps")
	p.shows("wish not readable", volume, labShown{status: "backup_metadata_unreadable", explain: "backup_metadata_unreadable"})
	p.web.setMetadata(p.key, "false")
	p.shows("unprotected", volume, labShown{status: "protection_ended", explain: "unprotected"})
}

// volumeStates are those of volumes and backups: what Cinder reports about them, and what tenants and others did to them.
func (p *labStates) volumeStates() {
	p.t.Helper()
	h := p.many.client
	lost, orphaned := p.many.Volumes[1], p.many.Volumes[2]
	require.NoError(p.t, backups.Delete(p.ctx(), h.volume, p.records("volume_id = $1 AND state = 'available'", lost)[0].BackupID).ExtractErr())
	tag := backup.Tag{Installation: p.installation, Record: "forgotten"}
	_, err := backups.Create(p.ctx(), p.account.in("acme").volume, backups.CreateOpts{VolumeID: orphaned, Force: true, Name: p.prefix + "-orphan", Metadata: tag.Metadata()}).Extract()
	require.NoError(p.t, err)
	require.NoError(p.t, servers.Delete(p.ctx(), h.compute, p.deleted.ID).ExtractErr())
	h.awaitVolume(p.deleted.Volumes[1], "available")
	require.NoError(p.t, volumes.Delete(p.ctx(), h.volume, p.deleted.Volumes[1], nil).ExtractErr())
	failing, left := p.broken.Volumes[0], p.broken.Volumes[1]
	p.t.Cleanup(func() { p.resetVolume(failing, "in-use"); p.resetVolume(left, "in-use") })
	p.resetVolume(failing, "error")
	p.resetVolume(left, "error_backing-up")
	p.broken.setMetadata(p.key, "true")
	p.poor.client.setQuota(0)
	p.poor.setMetadata(p.key, "true")

	p.shows("removed by others", lost, labShown{status: "removed_by_others"})
	p.shows("backup without a record", orphaned, labShown{status: "orphan", explain: "orphan", doctor: "invariants: error"})
	p.shows("server deleted, volume kept", p.deleted.Volumes[0], labShown{status: "protection_ended", explain: "protection_ended"})
	p.shows("volume gone, backups kept", p.deleted.Volumes[1], labShown{status: "gone", explain: "gone"})
	p.shows("volume in error", failing, labShown{status: "volume_status", explain: "tenant"})
	p.shows("Cinder left the volume in error_backing-up", left, labShown{status: "volume_error_backing_up", explain: "operator"})
	p.shows("quota used up", p.poor.Volumes[0], labShown{status: "quota_exceeded", explain: "tenant", doctor: "projects: error"})
}

// waitingStates are those of two volumes whose first backups are due, while Cinder makes one at a time.
func (p *labStates) waitingStates() {
	p.t.Helper()
	back := p.knob("backup_delay", "90") // cinder-backup reads it when it begins
	p.idle.setMetadata(p.key, "true")
	var first, second string
	p.until("Cinder makes one of them", time.Minute, func() bool {
		p.readBackups()
		for i, v := range p.idle.Volumes {
			if p.count("volume_id = $1 AND state = 'creating'", v) == 1 {
				first, second = v, p.idle.Volumes[1-i]
			}
		}
		return first != ""
	})
	p.shows("being made", first, labShown{status: "creating", explain: "cinder"})
	p.shows("total cap", second, labShown{status: "cap", explain: "cap"})
	p.command("pause", "--project", p.idle.client.project, "--why", "upgrade")
	p.shows("project paused", second, labShown{status: "paused", explain: "paused", doctor: "scheduler: warning"})
	p.command("resume", "--project", p.idle.client.project)
	for _, one := range p.schedulers {
		one.Stop()
	}
	p.shows("no scheduler, planned", second, labShown{status: "no_leader", explain: "scheduler", doctor: "scheduler: error"})
	p.schedulers = append(p.schedulers, rig.Launch(p.t, p.env, "scheduler"), rig.Launch(p.t, p.env, "scheduler"))
	back()
	p.shows("all is well again", second, labShown{explain: "protected"})

	p.restart(map[string]string{"STAFFELN_BACKUP_CYCLE_TIMEOUT": "10s"})
	back = p.knob("backup_delay", "30")
	p.command("backup-now", first)
	p.shows("overdue", first, labShown{status: "deadline_passed", explain: "cinder"})
	back()
	p.shows("all is well again", first, labShown{explain: "backup_is_fresh"})
	p.restart(map[string]string{"STAFFELN_BACKUP_CYCLE_TIMEOUT": "6h"})
}

// daemonStates are those in which something does not run that Staffeln needs.
func (p *labStates) daemonStates() {
	p.t.Helper()
	volume := p.many.Volumes[0]
	require.NoError(p.t, syscall.Kill(-p.daemon("cinder-backup"), syscall.SIGKILL))
	starts := func(name string) (start func()) {
		start = sync.OnceFunc(func() { p.restartDaemon(name) })
		p.t.Cleanup(start)
		return start
	}
	start := starts("cinder-backup")
	p.until("Cinder knows that cinder-backup is dead", 4*time.Minute, func() bool {
		p.readBackups()
		return strings.Contains(strings.Join(p.findings()["cloud"], "\n"), "no cinder-backup service is up")
	})
	p.command("backup-now", volume)
	p.shows("no cinder-backup service", volume, labShown{status: "no_service", explain: "no_service", doctor: "cloud: error"})
	start()
	p.shows("all is well again", volume, labShown{explain: "backup_is_fresh"})

	for _, one := range p.workers {
		one.Stop()
	}
	p.command("backup-now", volume)
	p.shows("no worker", volume, labShown{status: "no_worker", explain: "worker", doctor: "queue: error"})
	p.workers = append(p.workers, rig.Launch(p.t, p.env, "worker"), rig.Launch(p.t, p.env, "worker"))
	p.shows("all is well again", volume, labShown{explain: "backup_is_fresh"})

	require.NoError(p.t, syscall.Kill(-p.daemon("nova-api"), syscall.SIGKILL))
	start = starts("nova-api")
	// The plan tries for STAFFELN_OPENSTACK_RETRY_TIMEOUT before it records that it did not see the servers.
	p.shows("Nova away", volume, labShown{status: "plan_late", explain: "protected", doctor: "scheduler: error"})
	start()
	p.shows("all is well again", volume, labShown{explain: "protected"})
}

// accountStates are those of the account: its password is changed, and changed back.
func (p *labStates) accountStates() {
	p.t.Helper()
	password := func(to string) {
		_, err := users.Update(p.ctx(), p.admin.identity, p.account.user, users.UpdateOpts{Password: to}).Extract()
		require.NoError(p.t, err)
	}
	password("another-4-a-test")
	// A plan whose token was refused between two lists saw nothing: the volume is protected, or unknown after such a plan.
	p.shows("password refused", p.many.Volumes[0], labShown{status: "unauthorised", doctor: "cloud: error"})
	password(p.account.rc["OS_PASSWORD"])
}
