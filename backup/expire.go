package backup

import (
	"slices"
	"time"
)

// Constraints apply to all restore points of one volume.
type Constraints struct {
	// Floor is how many of the newest restore points are retained at any age, with everything they depend on. It is 0
	// once the grace after the end of the protection is over.
	Floor int
	// FloorUntil is when the grace ends that keeps the floor; zero if the volume is protected.
	FloorUntil time.Time
	// Building reports that an incremental is being made, or planned, that is not among the links yet: the newest
	// chain of each project is not touched.
	Building bool
	// Purged reports that the project is deleted and that the operator wants all our backups of it removed, regardless
	// of their retention.
	Purged bool
}

// A Guard decides whether the floor applies to a volume: while it is protected, and for a grace after each project's
// protection ended.
type Guard struct {
	ProjectID string // project that owns the volume now
	Protected bool   // in that project
	Ends      map[string]time.Time
	Grace     time.Duration
	Floor     int
}

// ConstraintsOf returns the constraints for the links of a volume that one project owns. The floor applies while the
// volume is protected in that project, and for the grace after that ended, also if another project owns the volume
// now.
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

// LastExpiry returns when the last restore point expires of a volume whose protection ended: when the last retention
// is over, but with a floor not before the grace is over.
func LastExpiry(over, ended time.Time, floor int, grace time.Duration) time.Time {
	if end := ended.Add(grace); floor > 0 && end.After(over) {
		return end
	}
	return over
}

// A Removal is a link that expires now, and the reason.
type Removal struct {
	Link
	Reason Reason
}

// A Kept is a link that is retained, and the reason. Until is the earliest end if only time decides; else it is zero.
type Kept struct {
	Link
	Reason Reason
	Until  time.Time
}

// Expired decides which links of one volume expire now and why each other one is retained. At most the newest link of
// each chain expires, since Cinder allows no other one to be deleted; the next link follows when Cinder no longer has
// this one. Failed leftovers expire at once.
func Expired(now time.Time, k Constraints, links []Link) (removals []Removal, kept []Kept) {
	chains := Chains(links)
	if !k.FloorUntil.IsZero() && !now.Before(k.FloorUntil) {
		k.Floor, k.FloorUntil = 0, time.Time{}
	}
	floor := floorOf(chains, k.Floor)
	building := map[int]bool{}
	if k.Building {
		building = growableChains(chains)
	}
	for i, chain := range chains {
		// above is why the links below the current one are retained; empty at the newest link.
		var above Reason
		if building[i] {
			above = CreationBuildsOn
		}
		for _, l := range slices.Backward(chain) {
			result := judgeLink(now, l, floor, k)
			if result.expires && above == "" && l.dependedOn(links) {
				above = DependentFirst
			}
			switch {
			case result.expires && above == "":
				removals = append(removals, Removal{l, result.reason})
				above = DependentFirst
			case result.expires:
				kept = append(kept, Kept{l, above, time.Time{}})
			default:
				kept = append(kept, Kept{l, result.reason, result.until})
				above = stronger(above, result.reason)
			}
		}
	}
	return removals, kept
}

// dependedOn reports whether Cinder shows that one of the links depends on l although the order does not show it:
// since 2023.1 a chain forks where its newest link was in use or in error. If the dependent is not among the links,
// Cinder's counter is wrong, and Cinder's refusal of the deletion will show it.
func (l Link) dependedOn(links []Link) bool {
	return l.Depended && slices.ContainsFunc(links, func(o Link) bool {
		return o.Kind == Incremental && o.ProjectID == l.ProjectID && o.BackupID != l.BackupID && !o.order().Before(l.order())
	})
}

type judgement struct {
	expires bool
	reason  Reason
	until   time.Time
}

// judgeLink decides about one link as if nothing depended on it.
func judgeLink(now time.Time, l Link, floor map[string]Reason, k Constraints) judgement {
	if l.Foreign() {
		return judgement{reason: Foreign}
	}
	switch l.Status {
	case StatusError:
		return judgement{expires: true, reason: FailedLeftover}
	case StatusCreating:
		return judgement{reason: BeingCreated}
	case StatusDeleting:
		return judgement{reason: BeingRemoved}
	case StatusRestoring:
		return judgement{reason: BeingRestored}
	case StatusErrorDeleting:
		return judgement{reason: CannotBeRemoved}
	case StatusLost:
		return judgement{reason: l.Gone}
	case StatusAvailable:
	case StatusSpoilt:
		return judgement{reason: StatusUnknown}
	default:
		return judgement{reason: StatusUnknown}
	}
	if k.Purged {
		return judgement{expires: true, reason: ProjectPurged}
	}
	if r, ok := floor[l.BackupID]; ok {
		return judgement{reason: r, until: k.FloorUntil}
	}
	if l.Retention.IsZero() {
		// Empty does not mean a retention of length zero: the retention is unknown, and a deletion can't be undone.
		return judgement{reason: Young}
	}
	if l.Held != "" {
		return judgement{reason: l.Held}
	}
	if end := l.Retention.After(l.DataTime); now.Before(end) {
		return judgement{reason: Young, until: end}
	}
	return judgement{expires: true, reason: RetentionOver}
}

// stronger returns the more informative of two reasons why the links below are retained.
func stronger(above, reason Reason) Reason {
	switch {
	case above == CreationBuildsOn || above == ForeignDependent || above == HasDependents:
		return above
	case reason == Foreign || reason == ForeignDependent:
		return ForeignDependent
	case reason == HasDependents: // whose they are is not known
		return HasDependents
	case reason == BeingRemoved:
		return DependentFirst
	default:
		return KeptForDependent
	}
}
