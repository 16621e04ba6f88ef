package db

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// The reason columns that the moves write, for each shape with a previous request.
const (
	became   = "changed_at: -1h0m0s -> now; "
	newWhy   = "reason: throttled -> quota_exceeded; reason_text: slow -> quota; cloud_request_id: req-1 -> req-2; "
	firstWhy = "reason: '' -> quota_exceeded; reason_text: '' -> quota; cloud_request_id: '' -> req-2; "
	noWhy    = "reason: throttled -> ''; reason_text: slow -> ''; cloud_request_id: req-1 -> ''; "
	tryLater = "next_try_at: null -> +30s; "
	course   = "started_at: null -> -1h0m0s; finished_at: null -> -30m0s; "
	finished = became + noWhy + course + "available_at: null -> now; cinder_timestamp: null -> -2h0m0s; data_timestamp: null -> -1h0m0s; ended_at: null -> now; kind: full -> incremental; size_gib: 10 -> 12; "
	refused  = "deletion_refused_since: null -> now; removal_reason: expired -> quota_exceeded; removal_text: '' -> quota; " + tryLater
	notGone  = "removal_reason: expired -> quota_exceeded; removal_text: '' -> quota; "
)

// allowedMoves is the whole state machine: the shapes in which each move is allowed, and every column that it writes. All
// other moves must fail and write nothing.
var allowedMoves = map[string]map[string]string{
	"StartCreation": {
		"planned": became + "unanswered_request_at: null -> now; attempts: 0 -> 1; backup_name: '' -> web_disk_2; deadline: null -> +6h0m0s; " +
			"kind: full -> incremental; last_requested_at: null -> now; requested_at: null -> now; state: planned -> creating",
		"resting": noWhy + "unanswered_request_at: null -> now; attempts: 1 -> 2; kind: full -> incremental; last_requested_at: -1h0m0s -> now; next_try_at: now -> null",
		"asked":   noWhy + "unanswered_request_at: -1h0m0s -> now; attempts: 1 -> 2; kind: full -> incremental; last_requested_at: -1h0m0s -> now",
	},
	"Accept":      {"asked": noWhy + "unanswered_request_at: -1h0m0s -> null; backup_id: null -> b2; cinder_status: '' -> creating"},
	"NotAccepted": {"asked": newWhy + tryLater + "unanswered_request_at: -1h0m0s -> null"},
	"Unanswered":  {"asked": newWhy + tryLater},
	"Later": {
		"planned":           "cinder_status: '' -> odd; " + tryLater,
		"resting":           "cinder_status: '' -> odd; next_try_at: now -> +30s",
		"asked":             "cinder_status: '' -> odd; " + tryLater,
		"creating":          "cinder_status: creating -> odd; " + tryLater,
		"overdue":           "cinder_status: '' -> odd; " + tryLater,
		"deleting":          "cinder_status: '' -> odd; " + tryLater,
		"leftover deleting": "cinder_status: '' -> odd; " + tryLater,
		"undeletable":       "cinder_status: '' -> odd; next_try_at: now -> +30s",
		"failed":            "cinder_status: '' -> odd; " + tryLater,
		"leftover":          "cinder_status: '' -> odd; " + tryLater,
	},
	"Finish": {
		"creating": finished + "cinder_status: creating -> available; state: creating -> available; volumes v usual_duration: null -> 01:00:00",
		"overdue":  finished + "cinder_status: '' -> available; state: overdue -> available; volumes v usual_duration: null -> 01:00:00",
	},
	"Fail": {
		"planned":  became + firstWhy + "ended_at: null -> now; state: planned -> failed",
		"resting":  became + newWhy + "ended_at: null -> now; next_try_at: now -> null; state: creating -> failed",
		"asked":    became + newWhy + "unanswered_request_at: -1h0m0s -> null; ended_at: null -> now; state: creating -> failed",
		"creating": became + newWhy + "ended_at: null -> now; state: creating -> failed",
		"overdue":  became + newWhy + "ended_at: null -> now; state: overdue -> failed",
	},
	"FailSeen": {
		"creating": became + newWhy + course + "ended_at: null -> now; state: creating -> failed",
		"overdue":  became + newWhy + course + "ended_at: null -> now; state: overdue -> failed",
	},
	"FailGone": {
		"creating": became + newWhy + "backup_id: b -> null; ended_at: null -> now; state: creating -> failed",
		"overdue":  became + newWhy + "backup_id: b -> null; ended_at: null -> now; state: overdue -> failed",
	},
	"Withdraw":     {"planned": became + firstWhy + "ended_at: null -> now; state: planned -> withdrawn"},
	"PassDeadline": {"creating": became + newWhy + tryLater + "state: creating -> overdue"},
	"StartRemoval": {
		"available":         became + "deletion_requested_at: null -> now; removal_reason: '' -> expired; state: available -> deleting",
		"leftover":          became + "deletion_requested_at: null -> now; removal_reason: '' -> expired; state: failed -> deleting",
		"undeletable":       became + "deletion_requested_at: -1h0m0s -> now; next_try_at: now -> null; state: undeletable -> deleting",
		"deleting":          "deletion_requested_at: -1h0m0s -> now",
		"leftover deleting": "deletion_requested_at: -1h0m0s -> now",
	},
	"Removed": {
		"deleting":          became + "cinder_status: '' -> deleted; state: deleting -> deleted",
		"leftover deleting": became + "cinder_status: '' -> deleted; state: deleting -> deleted",
		"undeletable":       became + "cinder_status: '' -> deleted; next_try_at: now -> null; state: undeletable -> deleted",
	},
	"RefuseRemoval": {
		"deleting":          became + refused + "state: deleting -> available",
		"leftover deleting": became + refused + "state: deleting -> failed",
	},
	"Hold": {"available": "removal_reason: '' -> foreign_dependent"},
	"TakeBack": {
		"deleting": became + "removal_reason: expired -> within_retention; state: deleting -> available",
	},
	"Repair": {
		"overdue":           newWhy + tryLater + "repair: '' -> force; repaired_at: null -> now",
		"deleting":          notGone + tryLater + "repair: '' -> force; repaired_at: null -> now",
		"leftover deleting": notGone + tryLater + "repair: '' -> force; repaired_at: null -> now",
		"undeletable":       notGone + "next_try_at: now -> +30s; repair: '' -> force; repaired_at: null -> now",
	},
	"NotRepaired": {
		"overdue":           tryLater + "repair: '' -> force; repaired_at: null -> -2h0m0s",
		"deleting":          tryLater + "repair: '' -> force; repaired_at: null -> -2h0m0s",
		"leftover deleting": tryLater + "repair: '' -> force; repaired_at: null -> -2h0m0s",
		"undeletable":       "next_try_at: now -> +30s; repair: '' -> force; repaired_at: null -> -2h0m0s",
	},
	"GiveUpRemoval": {
		"deleting":          became + notGone + tryLater + "state: deleting -> undeletable",
		"leftover deleting": became + notGone + tryLater + "state: deleting -> undeletable",
		"undeletable":       notGone + "next_try_at: now -> +30s",
	},
}

func TestEachMoveWritesItsColumnsAndFailsInOtherStates(t *testing.T) {
	t.Parallel()
	for name, move := range moves {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			for _, shape := range shapeNames() {
				h.exec("DELETE FROM records")
				h.exec("DELETE FROM volumes")
				c, r := h.shaped(shape)
				var after backup.Record
				var err error
				lines := h.changes(func() { after, err = move(h, c, r) })
				if want, ok := allowedMoves[name][shape]; ok {
					require.NoError(t, err, shape)
					assert.Equal(t, sorted(want), of("records r", lines), shape)
					assert.Equal(t, h.read("r"), after, shape)
					continue
				}
				require.Error(t, err, shape)
				assert.Empty(t, lines, shape)
				assert.Equal(t, r, after, "%s: what was given", shape)
			}
		})
	}
}

// sorted sorts the columns of a cell like the difference.
func sorted(want string) string {
	lines := strings.Split(strings.TrimSuffix(want, "; "), "; ")
	slices.Sort(lines)
	return strings.Join(lines, "; ")
}

func TestMovesFollowTheStateMachine(t *testing.T) {
	t.Parallel()
	states := map[backup.State]bool{}
	for shape := range shapes {
		states[stateOf(shape)] = true
	}
	assert.ElementsMatch(t, backup.States, slices.Collect(maps.Keys(states)), "every state has a shape")
	for name, cells := range allowedMoves {
		for shape, want := range cells {
			_, arrow, moved := strings.Cut(want, "state: ")
			if !moved {
				continue
			}
			arrow, _, _ = strings.Cut(arrow, ";") // what the move changes besides
			from, to, _ := strings.Cut(arrow, " -> ")
			assert.True(t, backup.State(from).CanBecome(backup.State(to)), "%s of %s: %s -> %s", name, shape, from, to)
		}
	}
}

func TestMoveOfAChangedRecordIsStale(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	c, r := h.shaped("planned")
	_, err := c.Withdraw(h.ctx, r, why)
	require.NoError(t, err)
	for name, move := range moves {
		h.changesNothing(func() {
			_, err := move(h, c, r)
			require.Error(t, err, name)
			if allowedMoves[name]["planned"] != "" {
				require.ErrorIs(t, err, ErrStale, name)
			}
		})
	}
}

func TestMoveWithAnotherVolumesLeaseIsStale(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	_, r := h.shaped("planned")
	other := h.lease("other")
	h.clock.Step(time.Second)
	h.changesNothing(func() {
		_, err := other.Withdraw(h.ctx, r, why)
		require.ErrorIs(t, err, ErrStale)
	})
}
