package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// What a year may leave in the database besides a cloud of twenty thousand volumes with ten records each.
const (
	yearVolumes = 20_000
	yearFailing = 500
	yearGone    = 200_000
)

// BenchmarkPlanAfterAYear plans the same cloud without and with 500 volumes that have failed for a year and 200,000 volumes
// that are gone: as after a reconcile run, which keeps some failures of each volume, and as before it, with all failures, 48 a
// day. The cloud is in the same process, and its share of time and RAM is the same in all cases.
func BenchmarkPlanAfterAYear(b *testing.B) {
	for _, of := range []struct {
		name           string
		failures, gone int
	}{
		{"nothing", 0, 0},
		{"gone", 0, yearGone},
		{"failing=kept", 50, 0},
		{"failing=month", 48 * 30, 0},
		{"failing=kept,gone", 50, yearGone},
		{"failing=month,gone", 48 * 30, yearGone},
	} {
		b.Run(of.name, func(b *testing.B) {
			w := newLargeCloud(b, yearVolumes, func(set *backup.Settings) { set.BackupMinInterval = backup.Duration(day) })
			w.plan()
			w.addHistories()
			w.addFailures(w.volumes[:yearFailing], of.failures)
			w.addGone(of.gone)
			w.exec(`VACUUM ANALYZE`)
			w.plan() // writes only what changed since the first plan
			before, _ := residentMemory(b)
			peak := 0.0
			b.ReportAllocs()
			for b.Loop() {
				w.plan()
				b.StopTimer()
				_, most := residentMemory(b)
				peak = max(peak, most)
				b.StartTimer()
			}
			b.ReportMetric(before, "MiB-RSS-before")
			b.ReportMetric(peak-before, "MiB-RSS-more")
		})
	}
}

// addHistories gives every volume ten restore points instead of the planned records, so that nothing is due.
func (w *largeCloud) addHistories() {
	w.b.Helper()
	w.exec(`DELETE FROM records`)
	w.exec(`
		INSERT INTO records (project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, size_gib, encrypted, state, kind,
			retention, planned_at, requested_at, deadline, changed_at, available_at, ended_at, backup_id, data_timestamp, report_id)
		SELECT project_id, project_name, server_id, server_name, id, name, availability_zone, size_gib, encrypted, 'available',
			CASE WHEN n % 3 = 0 THEN 'full' ELSE 'incremental' END, retention, at, at, at + interval '6 hours', at, at, at, gen_random_uuid()::text, at, ''
		FROM volumes, generate_series(0, 9) AS n, LATERAL (SELECT staffeln_now() - n * interval '1 day' AS at) AS t`)
}

// addFailures gives volumes the given number of failures and nothing else, one every half hour.
func (w *largeCloud) addFailures(volumes []string, failures int) {
	w.b.Helper()
	if failures == 0 {
		return
	}
	w.exec(`DELETE FROM records WHERE volume_id = ANY($1)`, volumes)
	w.exec(`
		INSERT INTO records (project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, size_gib, encrypted, state, kind,
			retention, planned_at, changed_at, ended_at, reason, reason_text, attempts, report_id)
		SELECT project_id, project_name, server_id, server_name, id, name, availability_zone, size_gib, encrypted, 'failed', 'full',
			retention, at, at, at, 'quota_exceeded', repeat('VolumeBackupSizeExceedsAvailableQuota ', 5), 1, ''
		FROM volumes, generate_series(0, $2::int - 1) AS n, LATERAL (SELECT staffeln_now() - n * interval '30 minutes' AS at) AS t
		WHERE id = ANY($1)`, volumes, failures)
}

// addGone adds volumes that were protected once and are gone, the same number each day.
func (w *largeCloud) addGone(volumes int) {
	w.b.Helper()
	if volumes == 0 {
		return
	}
	w.exec(`
		INSERT INTO volumes (id, name, project_id, project_name, server_id, server_name, availability_zone, status, size_gib, encrypted, protected,
			retention, retention_source, seen_at, gone_at, decided_at)
		SELECT gen_random_uuid()::text, 'disk ' || n, md5((n % 200)::text), 'project', md5(n::text), 'server ' || n, 'nova', 'in-use', 10, false, false,
			'17 days', 'default', at, at, at
		FROM generate_series(0, $1::int - 1) AS n, LATERAL (SELECT staffeln_now() - n * (interval '365 days' / $1::int) AS at) AS t`, volumes)
	var n int
	require.NoError(w.b, w.pool.QueryRow(w.b.Context(), `SELECT count(*) FROM volumes WHERE gone_at IS NOT NULL`).Scan(&n))
	require.Equal(w.b, volumes, n)
}
