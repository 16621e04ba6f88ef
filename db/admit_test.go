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

// plan writes a planned record with a volume of its own; more overrides.
func (h *house) plan(id string, more row) {
	h.t.Helper()
	h.volume("v-"+id, nil)
	h.record(id, row{"state": "planned", "volume_id": "v-" + id}.with(more))
}

func (h *house) admit(caps Caps) []string {
	h.t.Helper()
	before := h.admitted()
	a, err := h.beat().Admit(h.ctx, caps, backup.Outage{})
	require.NoError(h.t, err)
	fresh := slices.DeleteFunc(h.admitted(), func(id string) bool { return slices.Contains(before, id) })
	assert.Len(h.t, fresh, a.Admitted)
	return fresh
}

func (h *house) admitted() []string {
	h.t.Helper()
	rows, err := h.db.pool.Query(h.ctx, `SELECT id FROM records WHERE admitted_at IS NOT NULL ORDER BY id`)
	require.NoError(h.t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(h.t, err)
	return all
}

func age(d time.Duration) row { return row{"last_point_at": base.Add(-d)} }

func TestAdmissionDatesTheRecordAndNothingElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.plan("a", nil)
	lines := h.changes(func() { assert.Equal(t, []string{"a"}, h.admit(Caps{})) })
	assert.Equal(t, []string{"records a admitted_at: null -> now"}, lines)
	h.clock.Step(time.Minute)
	h.changesNothing(func() { assert.Empty(t, h.admit(Caps{})) })
}

func TestWithoutCapsAllAreAdmitted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range 30 {
		h.plan(fmt.Sprint(i), row{"forced_full": i%2 == 0})
	}
	assert.Len(t, h.admit(Caps{}), 30)
}

func TestTheOldestRestorePointComesFirstAndNoneBeforeAll(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.plan("young", age(time.Hour))
	h.plan("old", age(48*time.Hour))
	h.plan("none", nil)
	for i, want := range []string{"none", "old", "young"} {
		assert.Equal(t, []string{want}, h.admit(Caps{Total: i + 1}))
	}
}

func TestProjectsTakeTurns(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range 4 {
		h.plan(fmt.Sprintf("large-%d", i), age(time.Duration(90-i)*hour).with(row{"project_id": "large"}))
	}
	h.plan("small-0", age(2*hour).with(row{"project_id": "small"}))
	h.plan("small-1", age(time.Hour).with(row{"project_id": "small"}))
	assert.Equal(t, []string{"large-0", "large-1", "small-0"}, h.admit(Caps{Total: 3}))
	assert.Equal(t, []string{"small-1"}, h.admit(Caps{Total: 4}), "the project with less in progress")
}

// Of projects with as much in progress the one has its turn that was served
// least within the last ten minutes, however many wait in the others.
func TestWhoWasServedLatelyWaitsForTheOthers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.plan("ended", point("b", 9*time.Minute).with(row{"project_id": "served"}))
	h.plan("ended long ago", point("b-2", 11*time.Minute).with(row{"project_id": "waited"}))
	h.plan("1-served", age(48*hour).with(row{"project_id": "served"}))
	h.plan("2-waited", age(time.Hour).with(row{"project_id": "waited"}))
	assert.Equal(t, []string{"2-waited"}, h.admit(Caps{Total: 1}))
}

func TestEachCapCountsWhatIsInProgressButNotWhatIsOverdue(t *testing.T) {
	t.Parallel()
	for name, caps := range map[string]Caps{
		"all": {Total: 3}, "project": {PerProject: 3}, "zone": {PerZone: 3}, "out of turn": {ForcedFull: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			turn := row{"forced_full": true}
			h.plan("admitted", shapes["planned"].with(turn))
			h.plan("creating", shapes["resting"].with(turn).with(row{"reason": ""})) // nobody throttles us
			for shape, more := range shapes {
				if shape != "planned" && more["state"] != "creating" {
					h.plan("not busy "+shape, more.with(turn).with(unique(more, shape)))
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

// unique gives a backup of its own to a shape that has one.
func unique(shape row, name string) row {
	if shape["backup_id"] == nil {
		return row{}
	}
	return row{"backup_id": "b-" + name}
}

func TestFullsInTurnDoNotCountAsOutOfTurn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, id := range []string{"storm-1", "storm-2", "storm-3"} {
		h.plan(id, row{"forced_full": true})
	}
	h.plan("turn-1", age(time.Hour))
	h.plan("turn-2", age(time.Hour))
	assert.Equal(t, []string{"storm-1", "turn-1", "turn-2"}, h.admit(Caps{ForcedFull: 1}))
}

// What a full zone or the cap on fulls out of turn holds back must not take the
// places of its project.
func TestWhatACapHoldsBackStarvesNobodyElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, id := range []string{"stuck-1", "stuck-2", "stuck-3"} {
		h.plan(id, shapes["creating"].with(row{"availability_zone": "dead", "project_id": "other", "forced_full": true, "backup_id": id}))
	}
	for i := range 5 {
		h.plan(fmt.Sprintf("blocked-%d", i), row{"availability_zone": "dead"})
		h.plan(fmt.Sprintf("storm-%d", i), row{"forced_full": true})
	}
	h.plan("alive-1", age(3*time.Hour))
	h.plan("alive-2", age(2*time.Hour))
	h.plan("alive-3", age(time.Hour))
	assert.Equal(t, []string{"alive-1", "alive-2"}, h.admit(Caps{PerProject: 2, PerZone: 3, ForcedFull: 3}))
}

func TestManyBeatsAtOnceNeverExceedACap(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range 60 {
		h.plan(fmt.Sprintf("%02d", i), row{"project_id": fmt.Sprintf("p%d", i%4), "availability_zone": fmt.Sprintf("z%d", i%3), "forced_full": i%2 == 0})
	}
	caps := Caps{Total: 17, PerProject: 6, PerZone: 7, ForcedFull: 5}
	b := h.beat()
	var admitted atomic.Int32
	var group sync.WaitGroup
	for i := range 30 {
		group.Go(func() {
			if i%3 == 0 { // meanwhile older ones are planned
				_, err := h.db.pool.Exec(h.ctx, `UPDATE records SET last_point_at = NULL, planned_at = planned_at - interval '1 day' WHERE id = $1`, fmt.Sprintf("%02d", 59-i))
				if err != nil {
					t.Error(err)
				}
			}
			if a, err := b.Admit(h.ctx, caps, backup.Outage{}); assert.NoError(t, err) {
				admitted.Add(int32(a.Admitted))
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
