package backup

import (
	"slices"
	"time"
)

// Keeping is what holds for all restore points of one volume.
type Keeping struct {
	// Floor is how many of the newest restore points are kept whatever their
	// age, with all they stand on. It is 0 for a volume that is no longer
	// protected.
	Floor int
	// Building says that an incremental is being made, or planned, that is not
	// among the links yet: the newest chain of each project is not touched.
	Building bool
	// Settled says that the project is gone and that its operator wants all of
	// ours removed, whatever its retention.
	Settled bool
}

// KeepingOf returns what holds for the links that one project owns of a
// volume. The floor protects a volume that is still protected, in the project
// that it is in now: what an earlier owner kept goes by its retention.
func KeepingOf(project string, v Volume, protected bool, floor int, records []Record) Keeping {
	k := Keeping{Floor: floor}
	if !protected || project != v.ProjectID {
		k.Floor = 0
	}
	for _, r := range records {
		if r.ProjectID == project && r.State.InProgress() && r.BackupID == "" && r.Kind == Incremental {
			k.Building = true
		}
	}
	return k
}

// A Removal is a link that goes now, and why.
type Removal struct {
	Link
	Reason Reason
}

// A Kept is a link that stays, why, and until when at least where time alone
// decides (zero where it does not).
type Kept struct {
	Link
	Reason Reason
	Until  time.Time
}

// Expired decides which links of one volume go now and why each other one
// stays. Of each chain at most the newest link goes, since it is the only one
// that Cinder lets anyone delete; the next one's turn comes when Cinder no
// longer has this one. Failed leftovers go at once.
func Expired(now time.Time, k Keeping, links []Link) (removals []Removal, kept []Kept) {
	chains := Chains(links)
	floor := floorOf(chains, k.Floor)
	building := map[int]bool{}
	if k.Building {
		building = growing(chains)
	}
	for i, chain := range chains {
		// above is why the links below the present one stay; empty at the leaf.
		var above Reason
		if building[i] {
			above = CreationBuildsOn
		}
		for _, l := range slices.Backward(chain) {
			verdict := judgeLink(now, l, floor, k.Settled)
			switch {
			case verdict.goes && above == "":
				removals = append(removals, Removal{l, verdict.reason})
				above = DependentFirst
			case verdict.goes:
				kept = append(kept, Kept{l, above, time.Time{}})
			default:
				kept = append(kept, Kept{l, verdict.reason, verdict.until})
				above = stronger(above, verdict.reason)
			}
		}
	}
	return removals, kept
}

type verdict struct {
	goes   bool
	reason Reason
	until  time.Time
}

// judgeLink looks at one link as if nothing stood on it.
func judgeLink(now time.Time, l Link, floor map[string]Reason, settled bool) verdict {
	if l.Foreign() {
		return verdict{reason: Foreign}
	}
	switch l.Status {
	case StatusError:
		return verdict{goes: true, reason: FailedLeftover}
	case StatusCreating:
		return verdict{reason: BeingCreated}
	case StatusDeleting:
		return verdict{reason: BeingRemoved}
	case StatusRestoring:
		return verdict{reason: BeingRestored}
	case StatusErrorDeleting:
		return verdict{reason: CannotBeRemoved}
	case StatusAvailable:
	case StatusSpoilt:
		return verdict{reason: StatusUnknown}
	default:
		return verdict{reason: StatusUnknown}
	}
	if settled {
		return verdict{goes: true, reason: Settled}
	}
	if r, ok := floor[l.BackupID]; ok {
		return verdict{reason: r}
	}
	if l.Retention.IsZero() {
		// Not a retention of no length: nobody told us one, and a deletion
		// can't be taken back.
		return verdict{reason: Young}
	}
	if end := l.Retention.After(l.DataTime); now.Before(end) {
		return verdict{reason: Young, until: end}
	}
	return verdict{goes: true, reason: RetentionOver}
}

// stronger keeps the reason that tells most about why what lies below stays.
func stronger(above, reason Reason) Reason {
	switch {
	case above == CreationBuildsOn || above == ForeignDependent:
		return above
	case reason == Foreign:
		return ForeignDependent
	case reason == BeingRemoved:
		return DependentFirst
	default:
		return DependentStays
	}
}

// growing returns the chains that an incremental made now may build on: the
// newest of each project. A volume that was transferred to and fro grows a
// chain that is not its newest one.
func growing(chains []Chain) map[int]bool {
	newest := map[string]int{}
	for i, c := range chains {
		if !c[0].failedFull() {
			newest[c[0].ProjectID] = i
		}
	}
	grows := map[int]bool{}
	for _, i := range newest {
		grows[i] = true
	}
	return grows
}

// floorOf returns the links under the floor: the n newest restore points of
// ours and all they stand on. A foreign backup is never counted.
func floorOf(chains []Chain, n int) map[string]Reason {
	floor := map[string]Reason{}
	if n <= 0 {
		return floor
	}
	points := slices.DeleteFunc(restorable(chains), Link.Foreign)
	points = points[max(0, len(points)-n):]
	for _, l := range points {
		floor[l.BackupID] = Floor
	}
	for _, c := range chains {
		stands := false
		for _, l := range slices.Backward(c) {
			if floor[l.BackupID] == Floor {
				stands = true
			} else if stands {
				floor[l.BackupID] = FloorStandsOnIt
			}
		}
	}
	return floor
}
