//go:build openstack

package lab

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/backups"
	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit"
)

// Chains of depth 2 of three volumes in two projects are created while the leader is killed, and expire by two retentions. The
// server metadata decides which volumes are protected.
func labChains(t *testing.T, run *labRun) {
	const byDefault, byMetadata = 60 * time.Second, 30 * time.Second
	s := run.newTest(t, "chains")
	acme, globex := s.tenant("acme"), s.tenant("globex")
	lower := acme.boot("lower", 2, map[string]string{s.key: "true"})
	refused := acme.boot("refused", 1, map[string]string{s.key: "false"})
	title := globex.boot("title", 1, map[string]string{s.key: "True", s.retentionKey(): "30s"})
	garbage := globex.boot("garbage", 1, map[string]string{s.key: "yes, please"})
	p := s.start(map[string]string{
		"STAFFELN_BACKUP_MIN_INTERVAL": "10", "STAFFELN_FULL_BACKUP_DEPTH": "2", "STAFFELN_RETENTION_TIME": "60s",
	})
	protected := append(slices.Clone(lower.Volumes), title.Volumes...)
	all := func(begins string) func() bool {
		return func() bool {
			p.readBackups()
			return !slices.ContainsFunc(protected, func(v string) bool { return !strings.HasPrefix(p.kinds(v), begins) })
		}
	}

	p.until("each volume has its first backup", 2*time.Minute, all("F"))
	p.killLeader()
	p.until("each volume has a full, two incrementals and the next full", 4*time.Minute, all("FIIF"))
	for _, v := range protected {
		t.Logf("volume %s: %s", v, p.kinds(v))
	}

	for _, tenant := range []*labClient{acme, globex} {
		own := tenant.backups(backups.ListDetailOpts{})
		require.NotEmpty(t, own)
		for _, b := range own {
			require.Equal(t, tenant == globex, b.VolumeID == title.Volumes[0], "a tenant sees the backups of his own volumes")
		}
	}

	// Which volumes are protected.
	for _, out := range []*labServer{refused, garbage} {
		require.Zero(t, p.count("volume_id = $1", out.Volumes[0]), "records of %s", out.Name)
	}
	var object, detail string
	require.NoError(t, p.db.QueryRow(p.ctx(), `SELECT object, detail FROM findings WHERE reason = 'backup_metadata_unreadable' AND object = ANY($1)`,
		[]string{garbage.ID, refused.ID, lower.ID, title.ID}).Scan(&object, &detail))
	require.Equal(t, garbage.ID, object)
	t.Logf("true and True are backed up, false is not, and of the other there is a finding: %s", detail)
	for volume, want := range map[string]struct{ retention, source string }{
		lower.Volumes[0]: {"00:01:00", "default"}, title.Volumes[0]: {"00:00:30", "metadata"},
	} {
		var retention, source string
		require.NoError(t, p.db.QueryRow(p.ctx(), `SELECT retention::text, retention_source FROM volumes WHERE id = $1`, volume).Scan(&retention, &source))
		require.Equal(t, want.retention+want.source, retention+source)
		t.Logf("retention in force of volume %s: %s, by %s", volume, retention, source)
	}

	// The protection of one server ends. The other volume remains protected, but no backup of it is possible.
	lower.setMetadata(s.key, "false")
	p.breakVolume(title.Volumes[0])
	p.requireFloor(title.Volumes[0], byMetadata)
	p.resetVolume(title.Volumes[0], "in-use")
	title.setMetadata(s.key, "false")
	p.waitNothingLeft(4 * time.Minute)
	for _, v := range protected {
		p.requireLeafFirst(v)
		p.requireNothingEarly(v, map[bool]time.Duration{true: byMetadata, false: byDefault}[v == title.Volumes[0]])
	}
	p.requireAgreement()
	p.end()
	require.Empty(t, p.logged("error"))
}

// killLeader kills the leading scheduler while a backup is in progress, waits until the other one leads, and starts a third
// one.
func (p *labProgram) killLeader() {
	p.t.Helper()
	testkit.Eventually(p.t, "a backup is being made", time.Minute, func() bool { return p.count("state = 'creating' AND backup_id IS NOT NULL") > 0 })
	leader, term := p.leader()
	require.NotNil(p.t, leader)
	leader.Kill()
	killed := time.Now()
	during := p.records("state IN ('planned', 'creating')")
	testkit.Eventually(p.t, "another scheduler leads", time.Minute, func() bool {
		is, now := p.leader()
		return is != nil && is != leader && now > term
	})
	took := time.Since(killed)
	_, next := p.leader()
	p.t.Logf("leader of term %d killed with %d backups in the middle; the other led %s later, in term %d", term, len(during), took.Round(time.Millisecond), next)
	p.schedulers = append(p.schedulers, rig.Launch(p.t, p.env, "scheduler"))
	for _, r := range during {
		p.until("what was in the middle is available", time.Minute, func() bool {
			p.readBackups()
			return p.count("id = $1 AND available_at IS NOT NULL", r.ID) == 1
		})
	}
}

// breakVolume sets a volume to status error while no backup is in progress, because the end of a backup would reset the
// status.
func (p *labProgram) breakVolume(volume string) {
	p.t.Helper()
	p.until("the volume is in error, and known to be", 2*time.Minute, func() bool {
		p.readBackups()
		if p.count("volume_id = $1 AND state = 'creating'", volume) > 0 {
			return false
		}
		if is := p.admin.volumeStatus(volume); is != "error" {
			p.resetVolume(volume, "error")
			return false
		}
		return p.count("volume_id = $1 AND state = 'failed' AND reason = 'volume_status'", volume) > 0
	})
	failed := p.records("volume_id = $1 AND state = 'failed' AND reason = 'volume_status'", volume)
	require.Contains(p.t, failed[0].ReasonText, `"error"`)
	p.t.Logf("volume in a wrong status: failed, %s", failed[0].ReasonText)
}

// requireFloor waits until all restore points of a protected volume are older than the retention, and asserts that only the
// newest one and its parents are left.
func (p *labProgram) requireFloor(volume string, retention time.Duration) {
	p.t.Helper()
	const longer = 8 * time.Second // several retention runs
	available := func() []labRecord { return p.records("volume_id = $1 AND state IN ('available', 'deleting')", volume) }
	floor := available()
	for i, r := range slices.Backward(floor) {
		if r.Kind == "full" {
			floor = floor[i:]
			break
		}
	}
	newest := floor[len(floor)-1]
	p.until("only the floor is left", 3*time.Minute, func() bool {
		p.readBackups()
		return len(available()) == len(floor) && time.Since(*newest.DataTimestamp) > retention+longer
	})
	is := available()
	for i, r := range floor {
		require.Equal(p.t, r.BackupID, is[i].BackupID)
		require.Equal(p.t, "available", is[i].State)
	}
	p.t.Logf("floor of 1: %s is kept with its chain (%d links), %s old with a retention of %s; %d others are gone", newest.BackupName,
		len(floor), time.Since(*newest.DataTimestamp).Round(time.Second), retention, p.count("volume_id = $1 AND state = 'deleted'", volume))
}

// requireNothingEarly asserts that no deletion of a restore point was requested before its retention was over.
func (p *labProgram) requireNothingEarly(volume string, retention time.Duration) {
	p.t.Helper()
	youngest := time.Duration(1<<63 - 1)
	for _, r := range p.records("volume_id = $1 AND state = 'deleted' AND available_at IS NOT NULL", volume) {
		require.Equal(p.t, "expired", r.RemovalReason)
		youngest = min(youngest, r.DeletionRequestedAt.Sub(*r.DataTimestamp))
	}
	require.GreaterOrEqual(p.t, youngest, retention)
	p.t.Logf("retention of %s: the youngest restore point removed was %s old", retention, youngest.Round(time.Second))
}
