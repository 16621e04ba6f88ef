//go:build openstack

package lab

import (
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/backups"
	"github.com/stretchr/testify/require"
)

// Real faults of a real cloud, one after the other, while volumes are backed up every 20 s and removed after a minute:
// cinder-backup is killed during a backup, the message broker is frozen for a minute, tokens live for 20 s, a tenant deletes
// backups, and our role is taken away and given back. No volume ever has two backups in creation, no existing backup is
// recorded as lost, each volume gets new restore points, and `staffeln doctor` reports all of it before, during and after the
// faults.
//
// It needs the same as TestLabOnOpenStack, and E2E_LAB_COMMANDS: the folder of the laboratory's restart.sh.
func TestFaultsOnOpenStack(t *testing.T) {
	run := newLabRun(t)
	run.needDaemons(t)
	s := run.newTest(t, "troubles")
	acme, globex := s.tenant("acme"), s.tenant("globex")
	p := &labTroubles{acme: acme, servers: []*labServer{
		acme.boot("one", 2, map[string]string{s.key: "true"}), globex.boot("two", 1, map[string]string{s.key: "true"}),
	}}
	p.account = s.account("account")
	p.labProgram = s.start(p.account.settings(map[string]string{
		"STAFFELN_BACKUP_MIN_INTERVAL": "20", "STAFFELN_FULL_BACKUP_DEPTH": "2", "STAFFELN_RETENTION_TIME": "60s",
		"STAFFELN_BACKUP_CYCLE_TIMEOUT": "60", "STAFFELN_POST_SETTLE_TIME": "90s",
	}))
	p.renewed("at first")
	p.doctor("before").requireOK(p.labProgram)

	p.killsCinderBackup()
	p.freezesBroker()
	p.shortensTokens()
	p.tenantDeletes()
	p.takesRoleAway()

	p.doctor("after").requireOK(p.labProgram)
	for _, one := range p.servers {
		one.setMetadata(s.key, "false")
	}
	p.waitNothingLeft(5 * time.Minute)
	for _, v := range p.volumes() {
		p.requireLeafFirst(v)
	}
	p.requireAgreement()
	p.end()
	t.Logf("the test took %s", time.Since(s.began).Round(time.Second))
}

// labTroubles is the program, its account, and its protected servers.
type labTroubles struct {
	*labProgram

	account *labAccount
	acme    *labClient
	servers []*labServer
}

func (p *labTroubles) volumes() (all []string) {
	for _, one := range p.servers {
		all = append(all, one.Volumes...)
	}
	return all
}

// watch lists the backups in Cinder and asserts that no volume has two of them in creation.
func (p *labTroubles) watch() []backups.Backup {
	p.t.Helper()
	there := p.readBackups()
	making := map[string]string{}
	for _, b := range there {
		if b.Status == "creating" {
			require.Empty(p.t, making[b.VolumeID], "two backups of volume %s in the making: %s and %s", b.VolumeID, making[b.VolumeID], b.ID)
			making[b.VolumeID] = b.ID
		}
	}
	return there
}

// renewed waits until each volume has a restore point of data that was taken after now.
func (p *labTroubles) renewed(when string) {
	p.t.Helper()
	began := time.Now()
	p.until("each volume has a new restore point "+when, 6*time.Minute, func() bool {
		p.watch()
		p.resetsWhatCinderLeft()
		for _, v := range p.volumes() {
			if p.count("volume_id = $1 AND state = 'available' AND data_timestamp > $2", v, began) == 0 {
				return false
			}
		}
		return true
	})
	p.t.Logf("%s: each volume has a new restore point after %s", when, time.Since(began).Round(time.Second))
}

// resetsWhatCinderLeft does what a failed record asks the operator to do because Cinder left the volume in
// error_backing-up. After a restart of cinder-backup that happens when its clean-up crosses with a new backup: the late message
// of the killed backup notes this status as the previous one, and cinder-scheduler, which doesn't know the service yet, makes
// the previous status the present one.
func (p *labTroubles) resetsWhatCinderLeft() {
	p.t.Helper()
	for _, v := range p.volumes() {
		if p.count("volume_id = $1 AND state = 'failed' AND reason = 'volume_error_backing_up'", v) > 0 && p.admin.volumeStatus(v) == "error_backing-up" {
			p.resetVolume(v, "in-use")
			p.t.Logf("Cinder left volume %s in error_backing-up: reset to in-use", v)
		}
	}
}

// during watches the program for the given time, which is how long a fault lasts.
func (p *labTroubles) during(span time.Duration) {
	p.t.Helper()
	over := time.Now().Add(span)
	p.until("the fault lasted long enough", span+time.Minute, func() bool { p.watch(); return time.Now().After(over) })
}
