package e2e

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/testkit"
	"staffeln/view"
	"staffeln/view/report"
)

// "Kept until" of a backup is the same in the list of backups, in the explanation of its volume, in the forecast of retention
// and in the report, for random histories with floors, dependents, several retentions, transfers, ended protection and pauses.
func TestKeptUntilIsTheSameEverywhere(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(14, 4))
	url := testkit.DatabaseURL(t, func(ctx context.Context, url string) error { _, err := db.MigrateUp(ctx, url); return err })
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	database, err := db.Open(t.Context(), url, nil)
	require.NoError(t, err)
	t.Cleanup(database.Close)
	compared, paused := 0, 0
	for round := range 24 {
		for _, table := range []string{"records", "volumes", "pauses"} {
			_, err := conn.Exec(t.Context(), `DELETE FROM `+table)
			require.NoError(t, err)
		}
		writeHistory(t, conn, random, round)
		_, err = conn.Exec(t.Context(), `UPDATE volumes SET retention = '3 days', retention_source = 'default'`)
		require.NoError(t, err)
		if round%4 == 3 {
			insertRow(t, conn, "pauses", map[string]any{"project_id": []string{"", "p"}[round%2], "since": time.Now(), "who": "x", "why": "y"})
		}
		r := view.Reader{Settings: backup.Settings{MinRestorePoints: round % 3, BackupServicePeriod: backup.Duration(time.Hour), BackupMinInterval: backup.Duration(time.Hour)}, Given: func(string) bool { return false }}
		require.NoError(t, database.Snapshot(t.Context(), func(l *db.Snapshot) error {
			volumes, err := l.Volumes(t.Context(), []string{"v"})
			require.NoError(t, err)
			explained, err := r.Explanation(t.Context(), l, volumes[0], view.Stretch{})
			require.NoError(t, err)
			listed, err := r.Backups(t.Context(), l, db.Filter{})
			require.NoError(t, err)
			page, err := r.Backups(t.Context(), l, db.Filter{Limit: 7})
			require.NoError(t, err)
			gathered, err := view.GatherReport(t.Context(), l, r.Settings, report.All, nil)
			require.NoError(t, err)
			held, err := l.Held(t.Context(), []string{"v"})
			require.NoError(t, err)
			pauses, err := l.Pauses(t.Context())
			require.NoError(t, err)
			planned := map[string]*time.Time{}
			expiring, _ := view.RetentionInputOf(r.Settings, volumes[0], held["v"], pauses).Forecast(l.Now, view.EndOfTime)
			for i := range expiring {
				planned[expiring[i].BackupID] = new(expiring[i].Promised())
			}
			inList := map[string]view.BackupSummary{}
			for _, b := range listed.Backups {
				inList[b.BackupID] = b
			}
			for _, b := range page.Backups {
				require.Equal(t, inList[b.BackupID], b)
			}
			for _, chain := range explained.Chains {
				for _, link := range chain.Links {
					b := inList[link.BackupID]
					if b.Leftover != nil {
						continue // it is not kept
					}
					compared++
					require.Equal(t, link.KeptUntil, b.KeptUntil, "round %d, %s", round, link.BackupID)
					require.Equal(t, link.Why, b.Kept, "round %d, %s", round, link.BackupID)
					require.Equal(t, planned[link.BackupID], b.KeptUntil, "round %d, %s", round, link.BackupID)
					if b.Kept.Code == backup.Paused {
						paused++
						require.Nil(t, b.KeptUntil)
					}
				}
			}
			for _, p := range gathered.Report.Projects {
				for _, s := range p.Succeeded {
					if s.Gone == "" {
						compared++
						require.Equal(t, inList[s.BackupID].KeptUntil, s.KeptUntil, "round %d, %s", round, s.BackupID)
						require.Equal(t, inList[s.BackupID].Kept.Code, s.Kept)
					}
				}
			}
			return nil
		}))
	}
	require.Greater(t, compared, 1000)
	require.Positive(t, paused)
}
