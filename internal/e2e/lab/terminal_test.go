//go:build openstack

package lab

import (
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/backups"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/stretchr/testify/require"
)

// The commands for people run beside running schedulers and workers, with real situations of tenants: one volume is healthy,
// one cannot be backed up and becomes late, one is over its project's quota, one has lost its server, and one was never
// protected. The test's log contains what they print; the golden files of TestTerminal contain the complete output with a
// stopped clock.
//
// It needs the same as TestLabOnOpenStack, except for E2E_LAB_HOME.
func TestTerminalOnOpenStack(t *testing.T) {
	const interval, grace = 10 * time.Second, 25 * time.Second
	s := newLabRun(t).newTest(t, "terminal")
	acme, globex := s.tenant("acme"), s.tenant("globex")
	p := &labTerminal{
		healthy: acme.boot("healthy", 1, map[string]string{s.key: "true", s.retentionKey(): "2w"}),
		late:    acme.boot("late", 1, map[string]string{s.key: "true"}),
		deleted: acme.boot("deleted", 1, map[string]string{s.key: "true", s.retentionKey(): "1h"}),
		out:     acme.boot("out", 1, map[string]string{s.key: "false"}),
		poor:    globex.boot("poor", 1, map[string]string{s.key: "true"}),
	}
	p.labProgram = s.start(map[string]string{
		"STAFFELN_BACKUP_MIN_INTERVAL": interval.String(), "STAFFELN_RPO_GRACE": grace.String(),
		"STAFFELN_FULL_BACKUP_DEPTH": "2", "STAFFELN_RETENTION_TIME": "15s",
	})

	for _, one := range []*labServer{p.healthy, p.late, p.deleted, p.poor} {
		p.until("the first backup of "+one.Name, 2*time.Minute, func() bool { return strings.HasPrefix(p.kinds(one.Volumes[0]), "F") })
	}
	globex.setQuota(len(globex.backups(backups.ListDetailOpts{})))             // the current usage
	p.until("no backup of the server is under way", time.Minute, func() bool { // the end of a backup would set it to in-use again
		return p.count("volume_id = $1 AND state IN ('planned', 'creating', 'overdue')", p.deleted.Volumes[0]) == 0
	})
	require.NoError(t, servers.Delete(p.ctx(), acme.compute, p.deleted.ID).ExtractErr())
	t.Cleanup(func() { s.resetVolume(p.late.Volumes[0], "in-use") })
	p.breakVolume(p.late.Volumes[0])

	p.explainsHealthy()
	p.explainsLate()
	p.explainsOverQuota()
	p.explainsServerDeleted()
	p.explainsNotProtected()
	p.showsStatus()
	p.showsBackups()
	p.showsRetention()
	p.end()
	p.warnsThatNobodyLeads()
	t.Logf("the test took %s", time.Since(s.began).Round(time.Second))
}

// labTerminal is the program and the test's servers, each with one volume.
type labTerminal struct {
	*labProgram

	healthy, late, deleted, out, poor *labServer
}
