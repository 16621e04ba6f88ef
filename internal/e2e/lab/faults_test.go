//go:build openstack

package lab

import (
	"net/http"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/stretchr/testify/require"
)

// A failure of one volume is recorded with its reason, and does not affect other volumes.
func labFaults(t *testing.T, run *labRun) {
	s := run.newTest(t, "faults")
	acme, narrow := s.tenant("acme"), s.tenant("narrow")
	fine := acme.boot("fine", 1, map[string]string{s.key: "true"})
	broken := acme.boot("broken", 1, map[string]string{s.key: "true"})
	goner := acme.boot("goner", 1, nil)
	poor := narrow.boot("poor", 2, map[string]string{s.key: "true"})
	narrow.setQuota(1)
	s.resetVolume(broken.Volumes[0], "error")
	p := s.start(map[string]string{
		"STAFFELN_BACKUP_MIN_INTERVAL": "1h", "STAFFELN_RETENTION_TIME": "30s",
		"STAFFELN_BACKUP_CYCLE_TIMEOUT": "40s", "STAFFELN_STUCK_RESET": "true",
	})

	p.until("the others are backed up, and the failures recorded", 3*time.Minute, func() bool {
		p.readBackups()
		return p.count("volume_id = $1 AND state = 'available'", fine.Volumes[0]) == 1 && p.count("volume_id = $1 AND state = 'failed'", broken.Volumes[0]) == 1 &&
			p.count("volume_id = ANY($1) AND state = 'available'", poor.Volumes) == 1 && p.count("volume_id = ANY($1) AND state = 'failed'", poor.Volumes) > 0
	})
	wrong := p.records("volume_id = $1", broken.Volumes[0])
	require.Equal(t, "volume_status", wrong[0].Reason)
	require.Contains(t, wrong[0].ReasonText, `"error"`)
	over := p.records("volume_id = ANY($1) AND state = 'failed'", poor.Volumes)
	require.Equal(t, "quota_exceeded", over[0].Reason)
	require.Contains(t, over[0].ReasonText, "BackupLimitExceeded")
	require.Empty(t, over[0].BackupID)
	t.Logf("one volume in a wrong status, one over quota, the others backed up:\n%s", p.describe(p.records("true")))

	p.deletedInTheMiddle(goner)
	require.Equal(t, 1, p.count("volume_id = $1", fine.Volumes[0]), "records of the volume that nothing happened to")
	require.Equal(t, 1, p.count("volume_id = $1 AND reason = 'volume_status'", broken.Volumes[0]), "recorded once")

	for _, one := range []*labServer{fine, broken, poor} {
		one.setMetadata(s.key, "false")
	}
	s.resetVolume(broken.Volumes[0], "in-use")
	p.waitNothingLeft(3 * time.Minute)
	p.end()
}

// deletedInTheMiddle deletes a server and its volume while a backup of the volume is in progress. Cinder detaches the volume
// when the server is deleted, and accepts its deletion. Then the backup may remain in creating until the deadline ends it.
func (p *labProgram) deletedInTheMiddle(goner *labServer) {
	p.t.Helper()
	volume, h := goner.Volumes[0], goner.client
	back := p.knob("backup_delay", "20")
	goner.setMetadata(p.key, "true")
	p.until("the backup is being made", 2*time.Minute, func() bool {
		return len(p.readBackups()) > 0 && p.count("volume_id = $1 AND state = 'creating' AND backup_id IS NOT NULL", volume) == 1
	})
	r := p.records("volume_id = $1", volume)[0]
	require.NoError(p.t, servers.Delete(p.ctx(), h.compute, goner.ID).ExtractErr())
	p.until("the volume is gone", time.Minute, func() bool {
		err := volumes.Delete(p.ctx(), h.volume, volume, nil).ExtractErr() // refused until Nova has detached it
		return gophercloud.ResponseCodeIs(err, http.StatusNotFound)
	})
	back()
	require.Equal(p.t, 1, p.count("id = $1 AND state = 'creating'", r.ID), "the backup ended before its volume was gone")
	deleted := time.Now()

	states := []string{"creating"}
	p.until("the record has ended, and Cinder has nothing of it", 4*time.Minute, func() bool {
		is := p.records("id = $1", r.ID)[0]
		if now := is.State; now != states[len(states)-1] {
			states = append(states, now)
		}
		p.readBackups()
		ended := is.State == "deleted" || is.State == "failed" && is.BackupID == ""
		return ended && !p.seen[r.BackupID].gone.IsZero()
	})
	end := p.records("volume_id = $1", volume)
	require.Len(p.t, end, 1, "records of the deleted volume")
	var gone *time.Time
	require.NoError(p.t, p.db.QueryRow(p.ctx(), `SELECT gone_at FROM volumes WHERE id = $1`, volume).Scan(&gone))
	require.NotNil(p.t, gone, "the volume is known to be gone")
	p.t.Logf("server and volume deleted in the middle: the record was %v, ended after %s as %s: %s", states,
		time.Since(deleted).Round(time.Second), end[0].Reason, end[0].ReasonText)
}
