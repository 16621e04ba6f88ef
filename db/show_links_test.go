package db

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// The records that HeldAround reads give the same forecast as all records. The test compares them at every position of random
// histories, with links that are removed, lost, failed or of other owners, and with a wrong Cinder clock.
func TestHeldAroundGivesTheForecastOfAllLinks(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	random := rand.New(rand.NewPCG(12, 7))
	h.volume("v", nil)
	for round := range 40 {
		h.exec(`DELETE FROM records`)
		for i := range 4 + random.IntN(26) {
			at := base.Add(-time.Duration(random.IntN(60)) * 12 * hour)
			r := point(fmt.Sprintf("b%02d", random.IntN(50)*2+i%2+100*i), 0).with(row{"data_timestamp": at, "cinder_timestamp": at, "planned_at": at, "requested_at": at, "retention": "20 days"})
			r["kind"] = []string{"full", "incremental", "incremental"}[random.IntN(3)]
			switch random.IntN(14) {
			case 0:
				r["state"], r["deletion_requested_at"] = "deleting", at
			case 1:
				r["state"] = "lost"
			case 2:
				r = r.with(row{"state": "failed", "reason": "backup_error", "available_at": nil, "data_timestamp": nil, "cinder_timestamp": nil})
			case 3:
				r["cinder_status"] = "error"
			case 4:
				r["project_id"] = "q"
			case 5:
				if round%4 == 0 {
					r["cinder_timestamp"] = at.Add(time.Duration(random.IntN(60)-30) * 12 * hour)
				}
			}
			h.record(fmt.Sprintf("r%d", i), r)
		}
		if round%3 == 0 {
			h.record("planned", row{"state": "planned", "kind": "incremental", "planned_at": base, "ended_at": nil})
		}
		h.inSnapshot(func(l *Snapshot) {
			volumes, err := l.Volumes(h.ctx, []string{"v"})
			require.NoError(t, err)
			all, err := l.HeldOf(h.ctx, "v", "")
			require.NoError(t, err)
			shown, err := l.Backups(h.ctx, Filter{})
			require.NoError(t, err)
			for floor := range 3 {
				guard := backup.Guard{ProjectID: "p", Protected: true, Floor: floor}
				forecast := func(records []backup.Record) map[string]string {
					expiring, kept := backup.RetentionInput{Guard: guard, Retention: volumes[0].Retention, Records: records}.Forecast(l.Now, l.Now.AddDate(1, 0, 0))
					of := map[string]string{}
					for _, g := range expiring {
						of[g.BackupID] = fmt.Sprint(g)
					}
					for _, k := range kept {
						of[k.BackupID] = fmt.Sprint(k)
					}
					return of
				}
				whole := forecast(all)
				for i, r := range shown {
					some, err := l.HeldAround(h.ctx, shown[i:min(len(shown), i+1+i%3)], floor)
					require.NoError(t, err)
					require.Equal(t, whole[r.BackupID], forecast(some["v"])[r.BackupID], "round %d, floor %d, %s", round, floor, r.BackupID)
				}
			}
		})
	}
}

// A list of a long history reads a few chains; a page of another project reads nothing.
func TestListOfALongHistoryReadsFewLinks(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.fill(100)
	h.exec(`UPDATE records SET cinder_status = 'available', cinder_timestamp = data_timestamp`)
	h.inSnapshot(func(l *Snapshot) {
		shown, err := l.Backups(h.ctx, Filter{States: []string{"available"}, Limit: 1})
		require.NoError(t, err)
		held, err := l.HeldAround(h.ctx, shown, 1)
		require.NoError(t, err)
		require.Less(t, len(held[shown[0].VolumeID]), 6)
		extents, err := l.Extents(h.ctx, shown[0].VolumeID, "")
		require.NoError(t, err)
		require.Len(t, extents, 1)
		part, known, err := l.HeldWithin(h.ctx, shown[0].VolumeID, extents, Span{Newest: 1, Oldest: 1, Floor: 1})
		require.NoError(t, err)
		require.Len(t, known, 1)
		require.Less(t, len(part), extents[0].Links)
		none, err := l.HeldOf(h.ctx, shown[0].VolumeID, "nobody's")
		require.NoError(t, err)
		require.Empty(t, none)
	})
}

// Cancelling a request ends its statement and frees the connection.
func TestPageStatementEndsWithItsRequest(t *testing.T) {
	t.Parallel()
	h := newUnsteppedHarness(t)
	pages, err := h.db.Pages(h.ctx)
	require.NoError(t, err)
	t.Cleanup(pages.Close)
	lock, err := h.db.pool.Begin(h.ctx)
	require.NoError(t, err)
	defer func() { require.NoError(t, lock.Rollback(h.ctx)) }()
	_, err = lock.Exec(h.ctx, `LOCK TABLE volumes`)
	require.NoError(t, err)
	for range 2 * PageConnections {
		ctx, leave := context.WithCancel(h.ctx)
		ended := make(chan error, 1)
		go func() {
			ended <- pages.Snapshot(ctx, func(l *Snapshot) error { _, err := l.ProtectionCounts(ctx, rpo(hour), ""); return err })
		}()
		h.waitForLocks(1)
		leave()
		require.Error(t, <-ended)
		h.waitForLocks(0)
	}
	require.NoError(t, pages.Snapshot(h.ctx, func(*Snapshot) error { return nil }))
}

// tenantsPages reads the data of a project's overview, lists and volume page.
func tenantsPages(ctx context.Context, l *Snapshot, project string) error {
	p := Part{Project: project, Limit: 10}
	_, counts := l.ProtectionCounts(ctx, rpo(hour), project)
	_, protections := l.Protections(ctx, rpo(hour), p, backup.Late, backup.Waiting)
	_, inProgress := l.InProgressIn(ctx, p)
	_, backlog := l.BacklogIn(ctx, p)
	_, failures := l.FailuresIn(ctx, p)
	_, findings := l.FindingsIn(ctx, p)
	_, about := l.FindingsAbout(ctx, project, []string{someVolume}, backup.BackupMetadataUnreadable)
	_, named := l.ProjectNamed(ctx, project)
	_, page := l.ProtectionPage(ctx, rpo(hour), ProtectionFilter{Only: project, Limit: 10})
	_, days := l.Days(ctx, project, someVolume, l.Now.AddDate(0, 0, -30))
	_, held := l.HeldOf(ctx, someVolume, "")
	shown, backups := l.Backups(ctx, Filter{VolumeID: someVolume})
	_, around := l.HeldAround(ctx, shown, 1)
	extents, counted := l.Extents(ctx, someVolume, project)
	_, _, within := l.HeldWithin(ctx, someVolume, append(extents, Extent{ProjectID: project}), Span{Newest: 10, Oldest: 40, Floor: 1})
	return errors.Join(counted, within, counts, protections, inProgress, backlog, failures, findings, about, named, page, days, held, backups, around)
}
