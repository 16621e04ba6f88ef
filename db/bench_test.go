package db

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// manyVolumes is the size of the performance target: 100,000 volumes, a million records.
const manyVolumes = 100_000

// BenchmarkAtSize measures what a leader reads and writes in a large cloud. All benchmarks share one database, so those that
// only read come first.
func BenchmarkAtSize(b *testing.B) {
	h := newUnsteppedHarness(b)
	h.fill(manyVolumes)
	for _, one := range []struct {
		name string
		run  func(*testing.B, *harness)
	}{
		{"PlanReads", benchmarkPlanReads},
		{"Overview", benchmarkOverview},
		{"Histories", benchmarkHistories},
		{"AtWork", benchmarkAtWork},
		{"Aged", benchmarkAged},
		{"RemovalCheck", benchmarkRemovalCheck},
		{"Handler", benchmarkHandler},
		{"Admit", benchmarkAdmit},
		{"Plan", benchmarkPlan},
		{"StoreVolumes", benchmarkRemember},
		{"ReconcilePage", benchmarkReconcilePage},
		{"Missing", benchmarkMissing},
	} {
		b.Run(one.name, func(b *testing.B) {
			b.ReportAllocs()
			of := *h
			of.t, of.ctx = b, b.Context()
			one.run(b, &of)
		})
	}
}

func benchmarkPlanReads(b *testing.B, h *harness) {
	for b.Loop() {
		volumes, err := h.run().Volumes(h.ctx)
		require.NoError(b, err)
		require.Len(b, volumes, manyVolumes)
	}
}

func benchmarkOverview(b *testing.B, h *harness) {
	for b.Loop() {
		counts, err := h.run().ProtectionCounts(h.ctx, backup.RPO{Due: 24 * hour})
		require.NoError(b, err)
		require.NotEmpty(b, counts)
	}
}

func benchmarkHistories(b *testing.B, h *harness) {
	for b.Loop() {
		volumes := 0
		for _, err := range h.run().Histories(h.ctx, nil) {
			require.NoError(b, err)
			volumes++
		}
		require.Equal(b, manyVolumes, volumes)
	}
}

func benchmarkAtWork(b *testing.B, h *harness) {
	for b.Loop() {
		work, err := h.run().AtWork(h.ctx)
		require.NoError(b, err)
		require.NotEmpty(b, work)
	}
}

func benchmarkAged(b *testing.B, h *harness) {
	for b.Loop() {
		for _, err := range h.run().Aged(h.ctx) {
			require.NoError(b, err)
		}
	}
}

func benchmarkRemovalCheck(b *testing.B, h *harness) {
	id := h.text("SELECT backup_id FROM records WHERE backup_id IS NOT NULL LIMIT 1")
	for b.Loop() {
		var state backup.State
		require.NoError(b, h.db.pool.QueryRow(h.ctx, "SELECT state FROM records WHERE backup_id = $1", id).Scan(&state))
	}
}

// benchmarkHandler measures the database work of one handler: take the lease, read, write once, release the lease.
func benchmarkHandler(b *testing.B, h *harness) {
	for b.Loop() {
		c := h.lease(someVolume)
		records, err := c.Records(h.ctx)
		require.NoError(b, err)
		_, err = c.Later(h.ctx, records[0], "", base)
		require.NoError(b, err)
		require.NoError(b, c.Release(h.ctx))
	}
}

// benchmarkAdmit admits some of ten thousand waiting records.
func benchmarkAdmit(b *testing.B, h *harness) {
	for b.Loop() {
		a, err := h.run().Admit(h.ctx, backup.Caps{Total: 2000, PerProject: 10, PerZone: 1900, ForcedFull: 5}, backup.Outage{})
		require.NoError(b, err)
		require.NotZero(b, a.Admitted)
		b.StopTimer()
		h.exec("UPDATE records SET admitted_at = NULL WHERE admitted_at IS NOT NULL AND state = 'planned'")
		b.StartTimer()
	}
}

// benchmarkPlan writes ten thousand planned records and deletes them.
func benchmarkPlan(b *testing.B, h *harness) {
	var planned []backup.Record
	for v := 5; v < manyVolumes; v += 10 {
		planned = append(planned, plannedRecord(fmt.Sprintf("volume-%027d", v)))
	}
	for b.Loop() {
		n, err := h.run().Plan(h.ctx, planned)
		require.NoError(b, err)
		require.Equal(b, len(planned), n)
		b.StopTimer()
		h.exec("DELETE FROM records WHERE planned_at = $1", planned[0].PlannedAt)
		b.StartTimer()
	}
}

func benchmarkRemember(b *testing.B, h *harness) {
	known, err := h.run().Volumes(h.ctx)
	require.NoError(b, err)
	var volumes []Volume
	for _, v := range known {
		volumes = append(volumes, v)
	}
	for b.Loop() {
		require.NoError(b, h.run().StoreVolumes(h.ctx, volumes, nil))
	}
}

func benchmarkReconcilePage(b *testing.B, h *harness) {
	var page []backup.Backup
	rows, err := h.db.pool.Query(h.ctx, "SELECT backup_id FROM records WHERE state = 'available' ORDER BY backup_id LIMIT 1000")
	require.NoError(b, err)
	for rows.Next() {
		one := backup.Backup{Status: backup.StatusAvailable}
		require.NoError(b, rows.Scan(&one.ID))
		page = append(page, one)
	}
	require.NoError(b, rows.Err())
	for b.Loop() {
		_, err := h.run().Seen(h.ctx, page)
		require.NoError(b, err)
	}
}

// benchmarkMissing reads which of a million records a reconcile run did not see.
func benchmarkMissing(b *testing.B, h *harness) {
	for b.Loop() {
		missing, available, err := h.run().Missing(h.ctx, false)
		require.NoError(b, err)
		require.NotEmpty(b, missing)
		require.NotZero(b, available)
	}
}
