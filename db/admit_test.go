package db

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// plan writes a planned record with its own volume; more overrides columns.
func (h *harness) plan(id string, more row) {
	h.t.Helper()
	h.volume("v-"+id, nil)
	h.record(id, row{"state": "planned", "volume_id": "v-" + id}.with(more))
}

func (h *harness) admit(caps backup.Caps) []string {
	h.t.Helper()
	before := h.admitted()
	a, err := h.run().Admit(h.ctx, caps, backup.Outage{})
	require.NoError(h.t, err)
	fresh := slices.DeleteFunc(h.admitted(), func(id string) bool { return slices.Contains(before, id) })
	assert.ElementsMatch(h.t, fresh, a.Admitted)
	return fresh
}

func (h *harness) admitted() []string {
	h.t.Helper()
	rows, err := h.db.pool.Query(h.ctx, `SELECT id FROM records WHERE admitted_at IS NOT NULL ORDER BY id`)
	require.NoError(h.t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(h.t, err)
	return all
}

func age(d time.Duration) row { return row{"last_point_at": base.Add(-d)} }

func TestAdmissionWritesOnlyAdmittedAt(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.plan("a", nil)
	lines := h.changes(func() { assert.Equal(t, []string{"a"}, h.admit(backup.Caps{})) })
	assert.Equal(t, []string{"records a admitted_at: null -> now"}, lines)
	h.clock.Step(time.Minute)
	h.changesNothing(func() { assert.Empty(t, h.admit(backup.Caps{})) })
}

func TestAdmissionPrefersNoThenOldestRestorePoint(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.plan("young", age(time.Hour))
	h.plan("old", age(48*time.Hour))
	h.plan("none", nil)
	for i, want := range []string{"none", "old", "young"} {
		assert.Equal(t, []string{want}, h.admit(backup.Caps{Total: i + 1}))
	}
}

func TestCapsCountInProgressButNotOverdue(t *testing.T) {
	t.Parallel()
	for name, caps := range map[string]backup.Caps{
		"all": {Total: 3}, "project": {PerProject: 3}, "zone": {PerZone: 3}, "forced full": {ForcedFull: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			turn := row{"forced_full": true}
			h.plan("admitted", shapes["planned"].with(turn))
			h.plan("creating", shapes["resting"].with(turn).with(row{"reason": ""})) // not throttled
			for shape, more := range shapes {
				if shape != "planned" && more["state"] != "creating" {
					h.plan("not in progress "+shape, more.with(turn).with(unique(more, shape)))
				}
			}
			h.plan("x", turn)
			h.plan("y", turn)
			fresh := h.admit(caps)
			assert.Equal(t, []string{"x"}, fresh)
			h.changesNothing(func() { assert.Empty(t, h.admit(caps)) })
		})
	}
}

// unique returns a backup ID for shapes that have one, since each backup may have one record only.
func unique(shape row, name string) row {
	if shape["backup_id"] == nil {
		return row{}
	}
	return row{"backup_id": "b-" + name}
}

func TestConcurrentAdmissionsNeverExceedACap(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for i := range 60 {
		h.plan(fmt.Sprintf("%02d", i), row{"project_id": fmt.Sprintf("p%d", i%4), "availability_zone": fmt.Sprintf("z%d", i%3), "forced_full": i%2 == 0})
	}
	caps := backup.Caps{Total: 17, PerProject: 6, PerZone: 7, ForcedFull: 5}
	b := h.run()
	var admitted atomic.Int32
	var group sync.WaitGroup
	for i := range 30 {
		group.Go(func() {
			if i%3 == 0 { // meanwhile records with older plans appear
				_, err := h.db.pool.Exec(h.ctx, `UPDATE records SET last_point_at = NULL, planned_at = planned_at - interval '1 day' WHERE id = $1`, fmt.Sprintf("%02d", 59-i))
				if err != nil {
					t.Error(err)
				}
			}
			if a, err := b.Admit(h.ctx, caps, backup.Outage{}); assert.NoError(t, err) {
				admitted.Add(int32(len(a.Admitted)))
			}
		})
	}
	group.Wait()
	assert.Equal(t, 17, int(admitted.Load()))
	assert.Equal(t, 17, h.count(`SELECT count(*) FROM records WHERE admitted_at IS NOT NULL`))
	for group, limit := range map[string]int{"project_id": 6, "availability_zone": 7, "nullif(forced_full, false)": 5} {
		most := h.count(`SELECT max(n) FROM (
			SELECT count(` + group + `) AS n FROM records WHERE admitted_at IS NOT NULL GROUP BY ` + group + `) AS counts`)
		assert.LessOrEqual(t, most, limit, group)
	}
}
