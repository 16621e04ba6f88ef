package backup

import (
	"slices"
	"time"
)

// Constraints is what holds for all restore points of one volume.
type Constraints struct {
	// Floor is how many of the newest restore points are kept whatever their
	// age, with all they stand on. It is 0 where the protection ended longer
	// than the grace ago.
	Floor int
	// FloorUntil is when the grace ends that keeps the floor; zero: the volume
	// is protected.
	FloorUntil time.Time
	// Building says that an incremental is being made, or planned, that is not
	// among the links yet: the newest chain of each project is not touched.
	Building bool
	// Purged says that the project is gone and that its operator wants all of
	// ours removed, whatever its retention.
	Purged bool
}

// A Guard is what keeps the newest restore points of one volume: its
// protection, and for a grace after each project's protection ended.
type Guard struct {
	ProjectID string // that the volume is in now
	Protected bool   // there
	Ends      map[string]time.Time
	Grace     time.Duration
	Floor     int
}

// ConstraintsOf returns what holds for the links that one project owns of a
// volume. The floor stands while the volume is protected in that project, and
// for the grace after that ended: also where it is another project's now.
func ConstraintsOf(project string, g Guard, records []Record) Constraints {
	k := Constraints{Floor: g.Floor}
	if !g.Protected || project != g.ProjectID {
		end, ended := g.Ends[project]
		if k.FloorUntil = end.Add(g.Grace); !ended || g.Grace <= 0 {
			k = Constraints{}
		}
	}
	for _, r := range records {
		if r.ProjectID == project && r.State.InProgress() && r.BackupID == "" && r.Kind == Incremental {
			k.Building = true
		}
	}
	return k
}

// LastExpiry is when the last restore point of a volume goes whose protection
// ended: when the last retention is over, and what is under a floor not before
// the grace is.
func LastExpiry(over, ended time.Time, floor int, grace time.Duration) time.Time {
	if end := ended.Add(grace); floor > 0 && end.After(over) {
		return end
	}
	return over
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
func Expired(now time.Time, k Constraints, links []Link) (removals []Removal, kept []Kept) {
	chains := Chains(links)
	if !k.FloorUntil.IsZero() && !now.Before(k.FloorUntil) {
		k.Floor, k.FloorUntil = 0, time.Time{}
	}
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
			verdict := judgeLink(now, l, floor, k)
			switch {
			case !verdict.expires || above != "":
			case l.Held:
				above = ForeignDependent
			case l.dependedOn(links):
				above = DependentFirst
			}
			switch {
			case verdict.expires && above == "":
				removals = append(removals, Removal{l, verdict.reason})
				above = DependentFirst
			case verdict.expires:
				kept = append(kept, Kept{l, above, time.Time{}})
			default:
				kept = append(kept, Kept{l, verdict.reason, verdict.until})
				above = stronger(above, verdict.reason)
			}
		}
	}
	return removals, kept
}

// dependedOn tells whether one of the links builds on l by Cinder's word, though
// the order does not show it: since 2023.1 a chain forks where its newest link was
// busy or in error. A dependent that is nowhere among them is a lost counter of
// Cinder's: its refusal tells.
func (l Link) dependedOn(links []Link) bool {
	return l.Depended && slices.ContainsFunc(links, func(o Link) bool {
		return o.Kind == Incremental && o.ProjectID == l.ProjectID && o.BackupID != l.BackupID && !o.order().Before(l.order())
	})
}

type verdict struct {
	expires bool
	reason  Reason
	until   time.Time
}

// judgeLink looks at one link as if nothing stood on it.
func judgeLink(now time.Time, l Link, floor map[string]Reason, k Constraints) verdict {
	if l.Foreign() {
		return verdict{reason: Foreign}
	}
	switch l.Status {
	case StatusError:
		return verdict{expires: true, reason: FailedLeftover}
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
	if k.Purged {
		return verdict{expires: true, reason: ProjectPurged}
	}
	if r, ok := floor[l.BackupID]; ok {
		return verdict{reason: r, until: k.FloorUntil}
	}
	if l.Retention.IsZero() {
		// Not a retention of no length: nobody told us one, and a deletion
		// can't be taken back.
		return verdict{reason: Young}
	}
	if end := l.Retention.After(l.DataTime); now.Before(end) {
		return verdict{reason: Young, until: end}
	}
	return verdict{expires: true, reason: RetentionOver}
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
