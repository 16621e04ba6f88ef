package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/testkit"
	"staffeln/view"
)

// A page of a volume's chains reads only a part of the history, and shows the same as if it had read all of it: the chains
// before and after, what expires first and when, how to restore the newest, and what the volume waits for. This is checked for
// every page of random histories: with failed, lost and deleting links, links of another project, several retentions, one that
// will be shorter, long chains, no chain, floors, ended protection and a wrong clock of Cinder.
func TestPageOfALongHistoryMatchesTheWholeHistory(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(12, 1))
	url := testkit.DatabaseURL(t, func(ctx context.Context, url string) error { _, err := db.MigrateUp(ctx, url); return err })
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	database, err := db.Open(t.Context(), url, nil)
	require.NoError(t, err)
	t.Cleanup(database.Close)
	parts := 0
	for round := range 40 {
		_, err := conn.Exec(t.Context(), `DELETE FROM records`)
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), `DELETE FROM volumes`)
		require.NoError(t, err)
		writeHistory(t, conn, random, round)
		r := view.Reader{Settings: backup.Settings{MinRestorePoints: round % 3, BackupServicePeriod: backup.Duration(time.Hour), BackupMinInterval: backup.Duration(time.Hour)}, Given: func(string) bool { return false }}
		if round%2 == 0 {
			r.Project = "p"
		}
		require.NoError(t, database.Snapshot(t.Context(), func(l *db.Snapshot) error {
			volumes, err := l.Volumes(t.Context(), []string{"v"})
			require.NoError(t, err)
			all, err := r.Explanation(t.Context(), l, volumes[0], view.Stretch{})
			require.NoError(t, err)
			wanted, at := view.Stretch{Links: 1 + random.IntN(4)}, len(all.Chains)
			extents, err := l.Extents(t.Context(), "v", r.Project)
			require.NoError(t, err)
			some, _, err := l.HeldWithin(t.Context(), "v", extents, db.Span{Newest: wanted.Links, Oldest: 4 * wanted.Links, Floor: round % 3})
			require.NoError(t, err)
			if len(some) < all.Links {
				parts++
			}
			for more := true; more; {
				page, err := r.Explanation(t.Context(), l, volumes[0], wanted)
				require.NoError(t, err)
				at -= len(page.Chains)
				description := fmt.Sprintf("round %d, %d links of %d, before %v", round, wanted.Links, all.Links, wanted.Before)
				require.Equal(t, all.Chains[at:at+len(page.Chains)], page.Chains, description)
				require.Equal(t, all.Expiring[:min(wanted.Links, len(all.Expiring))], page.Expiring, description)
				require.Equal(t, all.Restore, page.Restore, description)
				require.Equal(t, all.Links, page.Links, description)
				require.ElementsMatch(t, all.WaitsFor, page.WaitsFor, description)
				require.Equal(t, at > 0, page.Older(), description)
				require.Equal(t, wanted.Before != nil, page.Newer(), description)
				if more = page.Older(); more {
					oldest := page.Chains[0].Links[0]
					wanted.Before = &backup.Link{DataTime: oldest.DataAt, BackupID: oldest.BackupID}
				}
			}
			require.Zero(t, at)
			return nil
		}))
	}
	require.Greater(t, parts, 12, "a part is read in many of them")
}

// writeHistory writes a volume with up to 150 links.
func writeHistory(t *testing.T, conn *pgx.Conn, random *rand.Rand, round int) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	volume := map[string]any{
		"id": "v", "name": "disk", "project_id": "p", "project_name": "one", "server_id": "s", "server_name": "web", "availability_zone": "az", "status": "in-use",
		"size_gib": 10, "encrypted": false, "protected": round%5 != 4, "retention": "10 days", "retention_source": "default", "seen_at": now, "transferred_at": nil,
	}
	if round%4 == 1 {
		volume["shorter_retention"], volume["shorter_retention_since"] = "3 days", now.Add(-time.Hour)
	}
	if round%4 == 2 {
		volume["transferred_at"] = now.AddDate(0, 0, -9)
	}
	insertRow(t, conn, "volumes", volume)
	depth, n := 1+random.IntN(12), random.IntN(150)
	for i := range n {
		at := now.Add(-time.Duration(n-i)*time.Hour - time.Duration(random.IntN(3000))*time.Second)
		record := map[string]any{
			"id": fmt.Sprintf("r%03d", i), "project_id": "p", "project_name": "one", "server_id": "s", "server_name": "web", "volume_id": "v", "volume_name": "disk", "availability_zone": "az",
			"size_gib": 10, "encrypted": false, "kind": "incremental", "retention": "10 days", "planned_at": at, "changed_at": at,
			"state": "available", "backup_id": fmt.Sprintf("b%03d", random.IntN(100)*1000+i), "data_timestamp": at, "cinder_timestamp": at, "cinder_status": "available",
			"available_at": at, "ended_at": at, "requested_at": at, "deadline": at.Add(6 * time.Hour),
		}
		if i%depth == 0 {
			record["kind"] = "full"
		}
		if random.IntN(9) == 0 {
			record["retention"] = []string{"2 days", "1 mon", "20 days"}[random.IntN(3)]
		}
		if round%3 == 0 && i < n/2 {
			record["project_id"] = "q"
		}
		switch random.IntN(40) {
		case 0:
			record["state"], record["deletion_requested_at"] = "deleting", at
		case 1:
			record["state"] = "lost"
		case 2:
			record["state"], record["reason"], record["available_at"], record["data_timestamp"], record["cinder_timestamp"] = "failed", "backup_error", nil, nil, nil
		case 3:
			record["cinder_status"] = "error"
		case 4:
			record["cinder_status"] = "restoring"
		case 5:
			record["state"], record["removal_reason"], record["deletion_requested_at"] = "undeletable", "backup_error", at
		case 6:
			if round%6 == 0 {
				record["cinder_timestamp"] = at.Add(time.Duration(random.IntN(60)-30) * time.Hour)
			}
		}
		insertRow(t, conn, "records", record)
	}
}

func insertRow(t *testing.T, conn *pgx.Conn, table string, row map[string]any) {
	t.Helper()
	var columns, placeholders []string
	var values []any
	for name, value := range row {
		columns, values = append(columns, name), append(values, value)
		placeholders = append(placeholders, fmt.Sprintf("$%d", len(values)))
	}
	_, err := conn.Exec(t.Context(), `INSERT INTO `+table+` (`+strings.Join(columns, ", ")+`) VALUES (`+strings.Join(placeholders, ", ")+`)`, values...)
	require.NoError(t, err)
}
