//go:build openstack

package lab

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/backups"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// labSeenBackup is what Cinder showed of one backup.
type labSeenBackup struct {
	backups.Backup // newest data

	deleting time.Time // when Cinder first showed it as deleting, or no longer
	gone     time.Time // when Cinder first showed it no longer
}

// readBackups lists the backups of all projects in Cinder and stores those with our tag. It returns those that exist now.
func (p *labProgram) readBackups() (there []backups.Backup) {
	p.t.Helper()
	asked := time.Now()
	for _, b := range p.admin.backups(backups.ListDetailOpts{AllTenants: true}) {
		if b.Metadata == nil || (*b.Metadata)[backup.TagInstallation] != p.installation {
			continue
		}
		there = append(there, b)
		if p.seen[b.ID] == nil {
			p.seen[b.ID] = new(labSeenBackup)
		}
		p.seen[b.ID].Backup = b
	}
	for id, s := range p.seen {
		is := slices.ContainsFunc(there, func(b backups.Backup) bool { return b.ID == id })
		if s.deleting.IsZero() && (!is || s.Status == "deleting") {
			s.deleting = asked
		}
		if s.gone.IsZero() && !is {
			s.gone = asked
		}
	}
	return there
}

// requireAgreement asserts that records and Cinder agree on every backup that Cinder ever showed: owner, tag, name, kind and
// volume. Each record has one backup, each backup one record, and each plan at most one backup per volume.
func (p *labProgram) requireAgreement() {
	p.t.Helper()
	records := map[string]labRecord{}
	plans := map[string]string{}
	for _, r := range p.records("backup_id IS NOT NULL") {
		records[r.BackupID] = r
		plan := r.VolumeID + " at " + r.PlannedAt.String()
		require.Empty(p.t, plans[plan], "two backups of volume %s: %s and %s", plan, plans[plan], r.BackupID)
		plans[plan] = r.BackupID
		require.Contains(p.t, p.seen, r.BackupID, "record %s knows a backup that Cinder never showed", r.ID)
	}
	owners := map[string]bool{}
	for id, s := range p.seen {
		r, known := records[id]
		require.True(p.t, known, "Cinder has a backup of ours without a record: %s", id)
		require.Equal(p.t, r.ProjectID, s.ProjectID, "owner of backup %s", s.Name)
		require.Equal(p.t, map[string]string{backup.TagInstallation: p.installation, backup.TagRecord: r.ID}, *s.Metadata, "tag of backup %s", s.Name)
		require.Equal(p.t, r.BackupName, s.Name)
		require.Regexp(p.t, "^"+regexp.QuoteMeta(r.ServerName+"_"+r.VolumeName)+`_\d{10}$`, s.Name)
		require.Equal(p.t, r.VolumeID, s.VolumeID)
		if r.AvailableAt != nil {
			require.Equal(p.t, r.Kind == "incremental", s.IsIncremental, "kind of backup %s", s.Name)
		}
		owners[s.ProjectID] = true
	}
	p.t.Logf("records and Cinder agree on %d backups of %d projects: owner, tag, name, kind; none twice", len(p.seen), len(owners))
}

// requireLeafFirst asserts that the newest link of each chain was removed first, and that no deletion was requested before the
// link above was confirmed as deleted, both by the records' times and by what Cinder showed.
func (p *labProgram) requireLeafFirst(volume string) {
	p.t.Helper()
	var above *labRecord // the dependent link
	chains, links := 0, 0
	for _, r := range slices.Backward(p.records("volume_id = $1 AND state IN ('deleted', 'lost') AND available_at IS NOT NULL", volume)) {
		if r.State == "lost" { // removed by a tenant, so it had no dependents
			above = nil
			continue
		}
		if above != nil && above.Kind == "incremental" {
			require.False(p.t, r.DeletionRequestedAt.Before(above.ChangedAt), "deletion of %s requested at %s, before %s was confirmed as deleted at %s",
				r.BackupName, r.DeletionRequestedAt, above.BackupName, above.ChangedAt)
			lower, upper := p.seen[r.BackupID], p.seen[above.BackupID]
			require.False(p.t, !upper.gone.IsZero() && lower.deleting.Before(upper.gone) && !lower.deleting.IsZero(),
				"Cinder showed %s as deleting at %s, and %s until %s", r.BackupName, lower.deleting, above.BackupName, upper.gone)
			p.t.Logf("%s deleted at %s; deletion of the link below requested %s later", above.BackupName, above.ChangedAt.UTC().Format(time.TimeOnly),
				r.DeletionRequestedAt.Sub(above.ChangedAt).Round(time.Millisecond))
		}
		links++
		if r.Kind == "full" {
			chains++
		}
		above = &r
	}
	require.Positive(p.t, links, "nothing was removed of volume %s", volume)
	p.t.Logf("removed of volume %s: %d links of %d chains, leaf first", volume, links, chains)
}

// waitNothingLeft waits until Cinder has no backup with our tag and every record is in a final state.
func (p *labProgram) waitNothingLeft(within time.Duration) {
	p.t.Helper()
	p.until("nothing of ours is left in Cinder, and every record has ended", within, func() bool {
		return len(p.readBackups()) == 0 && p.count("NOT (state IN ('deleted', 'withdrawn', 'lost') OR state = 'failed' AND backup_id IS NULL)") == 0
	})
	ends := map[string]int{}
	for _, r := range p.records("true") {
		ends[strings.Join(slices.DeleteFunc([]string{r.State, cmp.Or(r.RemovalReason, r.Reason)}, func(s string) bool { return s == "" }), ": ")]++
	}
	var leases int
	require.NoError(p.t, p.db.QueryRow(p.ctx(), `SELECT count(*) FROM volumes WHERE lease_token IS NOT NULL AND lease_until > staffeln_now()`).Scan(&leases))
	p.t.Logf("nothing left in Cinder; the records ended as %v; leases held: %d", ends, leases)
}
