//go:build openstack

package lab

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The program's account is admin of the admin project only, without the inherited role, so it cannot back up volumes of other
// projects. This failure is recorded there, and the backups of the admin project's own volumes continue.
func labNoRole(t *testing.T, run *labRun) {
	s := run.newTest(t, "norole")
	acme := s.tenant("acme")
	t.Cleanup(s.admin.tidy)
	theirs := acme.boot("theirs", 1, map[string]string{s.key: "true"})
	ops := s.admin.boot("ops", 1, map[string]string{s.key: "true"})
	account := s.user(s.prefix+"-account", "admin", s.admin.project)
	settings := map[string]string{"STAFFELN_BACKUP_MIN_INTERVAL": "1h", "STAFFELN_RETENTION_TIME": "20s"}
	for name := range s.service { // variables of the test's usual account
		settings[name] = ""
	}
	maps.Copy(settings, account)
	p := s.start(settings)

	p.until("the admin project's volume is backed up, and the other's failure recorded", 3*time.Minute, func() bool {
		p.readBackups()
		return p.count("volume_id = $1 AND state = 'available'", ops.Volumes[0]) == 1 && p.count("volume_id = $1 AND state = 'failed'", theirs.Volumes[0]) > 0
	})
	failed := p.records("volume_id = $1", theirs.Volumes[0])
	require.Equal(t, "no_role", failed[0].Reason)
	require.Equal(t, acme.project, failed[0].ProjectID)
	require.Empty(t, failed[0].BackupID)
	for _, b := range p.seen {
		require.Equal(t, s.admin.project, b.ProjectID)
		require.Equal(t, ops.Volumes[0], b.VolumeID)
	}
	require.Len(t, p.seen, 1)
	t.Logf("a project without our role, and one with it:\n%s", p.describe(p.records("true")))

	ops.setMetadata(s.key, "false")
	theirs.setMetadata(s.key, "false")
	p.waitNothingLeft(3 * time.Minute)
	p.requireAgreement()
	p.end()
}
