package db

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// seen returns a volume as a plan stores it.
func seen(id string) Volume {
	return Volume{
		ID: id, Name: "disk", ProjectID: "p", ProjectName: "one", ServerID: "s", ServerName: "web", Zone: "az", Status: "in-use",
		SizeGiB: 10, Protected: true, ProtectedSince: new(base), SeenAt: base,
		Retention: backup.Retention{Owner: "p", InForce: backup.Period{Months: 1}, Source: backup.FromDefault},
	}
}

func (h *harness) volumes() map[string]Volume {
	h.t.Helper()
	all, err := h.run().Volumes(h.ctx)
	require.NoError(h.t, err)
	gone, err := h.run().volumes(h.ctx, `gone_at IS NOT NULL`)
	require.NoError(h.t, err)
	maps.Copy(all, gone)
	return all
}

func TestRememberStoresAllFields(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	at, until := base.Add(-time.Minute), base.Add(time.Minute)
	full := seen("full")
	full.Encrypted, full.DetachedPlans, full.GoneAt, full.Action, full.Reason = true, 2, &at, backup.Create, backup.FirstBackup
	full.DecidedAt, full.DecisionUntil = &at, &until
	full.Unknown, full.TransferredAt, full.Migration = true, &at, "migrating"
	full.Retention = backup.Retention{
		Owner: "p", Since: &at, InForce: backup.Period{Years: 2, Months: 1, Days: 9, Clock: 90 * time.Minute}, Source: backup.FromMetadata,
		Shorter: &backup.Period{Days: 1}, ShorterSince: at, ShorterSeen: time.Hour, ShorterSeenAt: base,
	}
	bare := Volume{ID: "bare", SeenAt: base}
	b := h.run()
	require.NoError(t, b.StoreVolumes(h.ctx, []Volume{full, bare}, nil))
	assert.Equal(t, map[string]Volume{"full": full, "bare": bare}, h.volumes())
	h.changesNothing(func() { require.NoError(t, b.StoreVolumes(h.ctx, []Volume{full, bare}, nil)) })
	of, err := h.lease("full").Volume(h.ctx)
	require.NoError(t, err)
	require.NotNil(t, of.LeaseUntil)
	of.LeaseUntil = nil
	assert.Equal(t, full, of)
}

func TestRememberReplacesTheStoredState(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	b := h.run()
	v := seen("v")
	v.Retention.Shorter, v.Retention.ShorterSince = &backup.Period{Days: 1}, base
	require.NoError(t, b.StoreVolumes(h.ctx, []Volume{v, seen("w")}, nil))
	h.lease("v")
	require.NoError(t, b.RemovalDue(h.ctx, []string{"v"}))
	now := seen("v")
	now.Name, now.ProjectID, now.SizeGiB, now.Protected, now.ProtectedSince, now.SeenAt = "new", "q", 20, false, nil, base.Add(time.Minute)
	lines := h.changes(func() { require.NoError(t, b.StoreVolumes(h.ctx, []Volume{now}, nil)) })
	assert.Equal(t, []string{
		"volumes v name: disk -> new", "volumes v project_id: p -> q", "volumes v protected: true -> false", "volumes v protected_since: now -> null", "volumes v seen_at: now -> +1m0s",
		"volumes v shorter_retention: 1 day -> null", "volumes v shorter_retention_since: now -> null", "volumes v size_gib: 10 -> 20",
	}, lines, "leases and removals are not the plan's")
}

func TestAsOfReturnsTheVolumeInTheCloud(t *testing.T) {
	t.Parallel()
	v := seen("v")
	v.Encrypted = true
	want := backup.Volume{ID: "v", Name: "disk", ProjectID: "p", Status: "in-use", Zone: "az", SizeGiB: 10, Encrypted: true}
	assert.Equal(t, want, v.AsOf())
}

func TestTimesAreUTC(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	r := h.record("r", point("b", hour))
	for name, at := range map[string]time.Time{
		"record": r.PlannedAt, "pointer": *r.AvailableAt, "volume": h.volumes()["v"].SeenAt, "lease": h.lease("v").Until, "run": h.run().Now,
	} {
		assert.Same(t, time.UTC, at.Location(), name)
	}
}
