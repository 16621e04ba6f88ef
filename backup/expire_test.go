package backup

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExpiredByRetention(t *testing.T) {
	checkExpired(t, "floor 0", "F-17d", "-expired")
	checkExpired(t, "floor 0", "F-16d23h59min59s", "within_retention")
	checkExpired(t, "floor 0", "F-17d1s", "-expired")
	checkExpired(t, "floor 0", "F-2d:1d F-2d:3d", "-expired within_retention")
	checkExpired(t, "floor 0", "F-28d:1mon F-2h:20min F-400d:1y", "-expired -expired -expired")
	checkExpired(t, "floor 0", "F-27d:1mon F-19min:20min F-364d:1y", "within_retention within_retention within_retention")
	checkExpired(t, "floor 0", "", "")
}

// An unknown retention is not a retention of length zero.
func TestExpiredRetainsLinksWithoutRetention(t *testing.T) {
	checkExpired(t, "floor 0", "F-999d:0s", "within_retention")
	checkExpired(t, "floor 0", "F-999d:0s I-900d:1s", "within_retention -expired")
}

func TestExpiredLeafFirst(t *testing.T) {
	checkExpired(t, "floor 0", "F-20d I-19d I-18d", "dependent_first dependent_first -expired")
	checkExpired(t, "floor 0", "F-20d I-19d I-1d", "kept_for_dependent kept_for_dependent within_retention")
	checkExpired(t, "floor 0", "F-20d I-19d:1y I-18d", "kept_for_dependent within_retention -expired")
	checkExpired(t, "floor 0", "F-30d I-29d F-20d I-19d", "dependent_first -expired dependent_first -expired")
	checkExpired(t, "floor 0", "F-20d I-19d Id-18d", "dependent_first dependent_first being_removed")
	checkExpired(t, "floor 0", "F-20d I-19d Ic-1h", "kept_for_dependent kept_for_dependent being_created")
	checkExpired(t, "floor 0", "F-20d I-19d Ir-18d", "kept_for_dependent kept_for_dependent being_restored")
	checkExpired(t, "floor 0", "F-20d Iu-19d", "kept_for_dependent cannot_be_removed")
	checkExpired(t, "floor 0", "F-20d Iz-19d", "kept_for_dependent status_unknown")
	checkExpired(t, "floor 0", "I-20d I-19d", "dependent_first -expired")
	// The order of the input does not matter.
	checkExpired(t, "floor 0", "I-18d F-20d I-19d", "-expired dependent_first dependent_first")
}

func TestExpiredLeftovers(t *testing.T) {
	checkExpired(t, "floor 2", "Fe-0s", "-failed_leftover")
	checkExpired(t, "floor 2", "F-2h Ie-1h", "restore_point_floor -failed_leftover")
	checkExpired(t, "floor 0", "F-20d Ie-1h", "dependent_first -failed_leftover")
	checkExpired(t, "floor 0", "F-20d Ie-19d I-1h", "kept_for_dependent kept_for_dependent within_retention")
	// A failed full has no dependents: later incrementals depend on the chain before it.
	checkExpired(t, "floor 0", "F-20d Fe-19d I-18d", "dependent_first -failed_leftover -expired")
	checkExpired(t, "floor 0", "Fe-3d Fe-2d Fe-1d", "-failed_leftover -failed_leftover -failed_leftover")
}

func TestExpiredFloor(t *testing.T) {
	checkExpired(t, "floor 1", "F-30d", "restore_point_floor")
	checkExpired(t, "floor 1", "F-30d F-29d", "-expired restore_point_floor")
	checkExpired(t, "floor 2", "F-30d F-29d F-28d", "-expired restore_point_floor restore_point_floor")
	checkExpired(t, "floor 9", "F-30d F-29d", "restore_point_floor restore_point_floor")
	checkExpired(t, "floor 1", "F-30d I-29d I-28d",
		"restore_point_floor_depends_on_it restore_point_floor_depends_on_it restore_point_floor")
	checkExpired(t, "floor 2", "F-30d I-29d F-28d", "restore_point_floor_depends_on_it restore_point_floor restore_point_floor")
	// Only backups that could be restored now count.
	checkExpired(t, "floor 1", "F-30d Fe-1d", "restore_point_floor -failed_leftover")
	checkExpired(t, "floor 1", "F-30d Fc-1h", "restore_point_floor being_created")
	checkExpired(t, "floor 1", "F-30d Fu-29d I-28d", "restore_point_floor cannot_be_removed restore_point_floor") // the parent depends on the release of Cinder
	checkExpired(t, "floor 1", "F-30d Fr-29d", "-expired being_restored")
	checkExpired(t, "floor 1", "F-30d I-1d", "restore_point_floor_depends_on_it restore_point_floor")
	// After seventeen days of failing backups the last good one is retained.
	checkExpired(t, "floor 1", "F-20d I-19d Fe-2d Fe-1d", "restore_point_floor_depends_on_it restore_point_floor -failed_leftover -failed_leftover")
}

func TestExpiredForeign(t *testing.T) {
	checkExpired(t, "floor 0", "f-999d", "foreign")
	checkExpired(t, "floor 0", "fe-999d ie-999d", "foreign foreign")
	checkExpired(t, "floor 0", "F-30d I-29d i-28d", "foreign_dependent foreign_dependent foreign")
	checkExpired(t, "floor 0", "F-30d i-29d I-28d", "foreign_dependent foreign -expired")
	checkExpired(t, "floor 0", "F-30d i-29d I-1d", "foreign_dependent foreign within_retention")
	checkExpired(t, "floor 0", "f-30d I-29d", "foreign -expired")
	// Foreign backups do not count for the floor, but a backup under the floor may depend on one.
	checkExpired(t, "floor 1", "F-30d f-1d", "restore_point_floor foreign")
	checkExpired(t, "floor 2", "F-31d F-30d f-29d I-28d", "-expired restore_point_floor foreign restore_point_floor")
}

func TestExpiredWhileBuilding(t *testing.T) {
	checkExpired(t, "floor 0 building", "F-30d I-29d", "creation_builds_on_chain creation_builds_on_chain")
	checkExpired(t, "floor 0 building", "F-50d I-49d F-30d", "dependent_first -expired creation_builds_on_chain")
	checkExpired(t, "floor 0 building", "F-30d I-1d", "creation_builds_on_chain within_retention")
	checkExpired(t, "floor 0 building", "F-30d Fe-1h", "creation_builds_on_chain -failed_leftover")
	checkExpired(t, "floor 0 building", "F-30d i-29d", "creation_builds_on_chain foreign")
	checkExpired(t, "floor 0 building", "", "")
}

func TestExpiredSeveralProjects(t *testing.T) {
	// An incremental depends only on backups of its own project.
	checkExpired(t, "floor 0", "F-30d F-29d@B I-28d", "dependent_first -expired -expired")
	checkExpired(t, "floor 0", "F-30d F-29d@B I-28d@B", "-expired dependent_first -expired")
	checkExpired(t, "floor 1", "F-30d F-29d@B I-28d", "restore_point_floor_depends_on_it -expired restore_point_floor")
	// Transferred to B and back: the creation builds on A's chain, though B's chain is newer.
	checkExpired(t, "floor 0 building", "F-40d F-35d F-30d@B", "-expired creation_builds_on_chain creation_builds_on_chain")
}

func TestExpiredDoesNotChangeItsInput(t *testing.T) {
	ls := links(t, "I-18d F-20d I-19d Fe-1d")
	before := append([]Link(nil), ls...)
	Expired(now, Constraints{Floor: 1}, ls)
	require.Equal(t, before, ls)
}
