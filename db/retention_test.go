package db

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

const day = 24 * time.Hour

func (h *harness) agedVolumes() (all []AgedVolume) {
	h.t.Helper()
	for v, err := range h.run().Aged(h.ctx) {
		require.NoError(h.t, err)
		all = append(all, v)
	}
	return all
}

func (h *harness) aged() []string {
	h.t.Helper()
	var all []string
	for _, v := range h.agedVolumes() {
		all = append(all, v.ID)
	}
	return all
}

func TestAgedReturnsVolumesPastTheRetentionInForce(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"retention": "3 days"})
	h.record("oldest", point("b1", 2*day).with(row{"retention": "1 day"}))
	h.record("younger", point("b2", day))
	h.clock.Set(base.Add(day - time.Microsecond))
	assert.Empty(t, h.aged(), "the volume's retention holds, not the record's")
	h.clock.Set(base.Add(day))
	assert.Equal(t, []string{"v"}, h.aged())
	require.NoError(t, h.run().RemovalDue(h.ctx, []string{"v"}))
	assert.Empty(t, h.aged(), "what is marked is not read again")
}

func TestAgedIgnoresRecordsThatAreNotAvailable(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("none", nil)
	for _, shape := range shapeNames() {
		if shape != "available" {
			h.plan(shape, shapes[shape].with(unique(shapes[shape], shape)))
		}
	}
	h.clock.Step(1000 * day)
	assert.Empty(t, h.aged())
}

func TestAgedUsesRecordRetentionWithoutVolumeRetention(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"protected": false, "retention": nil, "retention_source": nil})
	h.record("oldest", point("b1", 2*day).with(row{"retention": "1 year"}))
	h.record("younger", point("b2", day).with(row{"retention": "2 days"}))
	assert.Empty(t, h.aged())
	h.clock.Step(day)
	assert.Equal(t, []string{"v"}, h.aged(), "the younger one is past its own")
}

func TestAgedReturnsGoneVolumes(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"protected": false, "gone_at": base, "retention": "1 day"})
	h.record("r", point("b", day))
	volumes := h.agedVolumes()
	require.Len(t, volumes, 1)
	assert.Equal(t, h.volumes()["v"], volumes[0].Volume, "it comes whole")
	assert.Equal(t, []backup.Record{h.read("r")}, volumes[0].Links)
}

// All aged volumes are read in chunks, and each chunk takes the same number of statements.
func TestAgedReadsVolumesInChunksWithTheirLinks(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	const n = agedAtOnce + 3
	var want []string
	for i := range n {
		id := fmt.Sprintf("v%04d", (i*7)%n) // in no order
		want = append(want, id)
		h.volume(id, row{"retention": "1 day"})
		h.record("r-"+id, point("b-"+id, 2*day).with(row{"volume_id": id}))
		h.record("gone-"+id, shapes["deleted"].with(row{"volume_id": id, "backup_id": "gone-" + id}))
	}
	slices.Sort(want)
	b := h.run()
	before := h.db.pool.Stat().AcquireCount()
	var got []string
	for v, err := range b.Aged(h.ctx) {
		require.NoError(t, err)
		got = append(got, v.ID)
		require.Len(t, v.Links, 1, v.ID)
		require.Equal(t, "r-"+v.ID, v.Links[0].ID)
	}
	assert.Equal(t, want, got)
	assert.EqualValues(t, 4, h.db.pool.Stat().AcquireCount()-before, "two statements each for two chunks")
}
