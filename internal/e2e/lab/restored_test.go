//go:build openstack

package lab

import (
	"slices"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/backups"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/volumeattach"
	"github.com/stretchr/testify/require"
)

// Each restored volume has the same bytes as the original had at the time of the backup. A tenant restores with a plain
// client: the oldest and the newest restore point of a chain, and the same again after an older chain is removed.
func labRestored(t *testing.T, run *labRun) {
	run.needData(t)
	s := run.newTest(t, "restored")
	alice := s.alice()
	source := alice.boot("source", 1, nil)
	volume := source.Volumes[0]
	p := s.start(map[string]string{
		"STAFFELN_BACKUP_MIN_INTERVAL": "5", "STAFFELN_FULL_BACKUP_DEPTH": "2",
		"STAFFELN_RETENTION_TIME": "1h", "STAFFELN_RETENTION_SHORTEN_DELAY": "0s", "STAFFELN_MIN_RESTORE_POINTS": "3",
	})
	data := newLabData(s, volume)
	at := map[string][]byte{} // content of the volume, by backup ID
	chain := func() {
		for range 3 {
			known := data.change()
			at[p.backupOnce(source)] = known
		}
	}
	points := func() []labRecord { return p.records("volume_id = $1 AND state = 'available'", volume) }
	restore := func(when string) {
		kept := points()
		oldest, newest := kept[0], kept[len(kept)-1]
		first, last := alice.restore(oldest.BackupID, "oldest"), alice.restore(newest.BackupID, "newest")
		alice.awaitVolume(first, "available")
		alice.awaitVolume(last, "available")
		attached := alice.attach(last, "web-1")
		for restored, r := range map[string]labRecord{first: oldest, last: newest} {
			require.True(t, slices.Equal(at[r.BackupID], data.read(restored)), "%s: what was restored of %s is not what was in the volume", when, r.BackupName)
			t.Logf("%s: %s %s restored: all %d bytes as they were", when, r.Kind, r.BackupName, len(at[r.BackupID]))
		}
		t.Logf("%s: the newest is attached to web-1 as %s", when, attached)
		alice.detach(last, "web-1")
	}

	chain()
	require.Equal(t, "FII", p.kinds(volume))
	older := points()
	restore("one chain")

	chain()
	require.Equal(t, "FIIFII", p.kinds(volume))
	// From here every restore point is older than its retention, and no further backup is due: the floor of 3 restore points
	// keeps the second chain.
	p.restart(map[string]string{"STAFFELN_BACKUP_MIN_INTERVAL": "1h"})
	source.setMetadata(s.retentionKey(), "5s")
	source.setMetadata(s.key, "true")
	p.until("the older chain is gone", 2*time.Minute, func() bool {
		p.readBackups()
		return p.count("volume_id = $1 AND state = 'deleted'", volume) >= len(older)
	})
	require.Equal(t, len(older), p.count("volume_id = $1 AND state = 'deleted'", volume), "removed: the older chain, and nothing else")
	for _, r := range older {
		require.Equal(t, 1, p.count("id = $1 AND state = 'deleted'", r.ID))
	}
	t.Logf("the older chain is removed:\n%s", p.describe(p.records("volume_id = $1", volume)))
	restore("after the older chain was removed")
	source.setMetadata(s.key, "false")

	p.waitNothingLeft(4 * time.Minute)
	p.requireLeafFirst(volume)
	p.requireAgreement()
	p.end()
	require.Empty(t, p.logged("error"))
}

// backupOnce creates one backup: it protects the server and ends the protection as soon as Cinder has accepted the backup. It
// returns the backup's ID.
func (p *labProgram) backupOnce(source *labServer) string {
	p.t.Helper()
	volume := source.Volumes[0]
	before := len(p.records("volume_id = $1", volume))
	source.setMetadata(p.key, "true")
	var r labRecord
	p.until("Cinder has accepted the backup", 2*time.Minute, func() bool {
		all := p.records("volume_id = $1", volume)
		if len(all) > before {
			r = p.newest(all)
		}
		return r.BackupID != ""
	})
	source.setMetadata(p.key, "false")
	p.until("the backup is available", 2*time.Minute, func() bool {
		p.readBackups()
		is := p.records("id = $1", r.ID)[0]
		require.NotEqual(p.t, "failed", is.State, "%s", is.ReasonText)
		return is.AvailableAt != nil
	})
	require.Len(p.t, p.records("volume_id = $1", volume), before+1, "one wish, one backup")
	return r.BackupID
}

func (p *labProgram) newest(of []labRecord) labRecord {
	return slices.MaxFunc(of, func(a, b labRecord) int { return a.PlannedAt.Compare(b.PlannedAt) })
}

// restore restores a backup into a new volume, as the tenant, and returns the volume's ID.
func (h *labClient) restore(backup, name string) string {
	h.t.Helper()
	id := h.makeVolume(name)
	h.awaitVolume(id, "available")
	require.NoError(h.t, backups.RestoreFromBackup(h.ctx(), h.volume, backup, backups.RestoreOpts{VolumeID: id}).Err)
	return id
}

// attach attaches a volume to the tenant's server of that name and returns the device. After a failure the end of the test
// detaches it.
func (h *labClient) attach(volume, server string) string {
	h.t.Helper()
	id := h.serverID(server)
	made, err := volumeattach.Create(h.ctx(), h.compute, id, volumeattach.CreateOpts{VolumeID: volume}).Extract()
	require.NoError(h.t, err)
	h.t.Cleanup(func() {
		if h.t.Failed() {
			_ = volumeattach.Delete(h.ctx(), h.compute, id, volume).ExtractErr() // it may be detached already
		}
	})
	h.awaitVolume(volume, "in-use")
	return made.Device
}

func (h *labClient) detach(volume, server string) {
	h.t.Helper()
	require.NoError(h.t, volumeattach.Delete(h.ctx(), h.compute, h.serverID(server), volume).ExtractErr())
	h.awaitVolume(volume, "available")
}

// serverID returns the ID of the tenant's server of that name.
func (h *labClient) serverID(server string) string {
	h.t.Helper()
	pages, err := servers.List(h.compute, servers.ListOpts{Name: "^" + server + "$"}).AllPages(h.ctx())
	require.NoError(h.t, err)
	found, err := servers.ExtractServers(pages)
	require.NoError(h.t, err)
	require.Len(h.t, found, 1, "servers named %s", server)
	return found[0].ID
}
