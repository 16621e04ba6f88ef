package backup

import (
	"cmp"
	"time"
)

// A Protection is the protection state of a volume.
type Protection string

// The protection states, for people and programs.
const (
	Protected   Protection = "protected"   // its newest restore point is within the RPO
	Late        Protection = "late"        // its newest restore point is past the RPO, or it has none and was protected for longer
	Waiting     Protection = "waiting"     // for its first restore point, and not late
	Unprotected Protection = "unprotected" // none of its servers requests backups
	Unknown     Protection = "unknown"     // the newest plan did not see enough of the cloud to decide
	Gone        Protection = "gone"        // the volume is deleted
)

// Protections lists all states in display order.
var Protections = []Protection{Protected, Late, Waiting, Unprotected, Unknown, Gone}

// Sentence returns a description of several volumes in this state, for people.
func (p Protection) Sentence() string { return protectionSentences[p] }

var protectionSentences = map[Protection]string{
	Protected:   "Backed up in time.",
	Late:        "The newest restore point is too old, or there is none.",
	Waiting:     "For the first restore point.",
	Unprotected: "Not selected for backup.",
	Unknown:     "Staffeln could not read the cloud completely.",
	Gone:        "Deleted; their remaining backups are kept by their retention.",
}

// ProtectionFacts are the input of [ProtectionFacts.Protection]. They are simple booleans, so that SQL can count and
// filter by them.
type ProtectionFacts struct {
	Gone     bool // Cinder does not have the volume any more, as a plan concluded from a 404 by ID
	Wanted   bool // a server requests backups, by the newest inventory that showed it
	Unseen   bool // the newest plan did not see enough to decide whether a server requests backups
	HasPoint bool // the project that owns the volume has a restore point of it
	PastRPO  bool // [LateSince] has passed
}

// Protection returns the state. A volume past its RPO is late even if the newest plan did not see it: an unreachable
// cloud must not end an alarm.
func (f ProtectionFacts) Protection() Protection {
	switch {
	case f.Gone:
		return Gone
	case f.Wanted && f.PastRPO:
		return Late
	case f.Unseen:
		return Unknown
	case !f.Wanted:
		return Unprotected
	case !f.HasPoint:
		return Waiting
	}
	return Protected
}

// LateSince returns when a volume becomes late: the duration late ([RPO.Of]) after the data of its newest restore point or,
// without one, after its protection began. It returns nil if neither time is known.
func LateSince(late time.Duration, newestPoint, protectedSince *time.Time) *time.Time {
	begins := cmp.Or(newestPoint, protectedSince)
	if begins == nil {
		return nil
	}
	return new(begins.Add(late))
}

// PastRPO reports whether the volume is late now if it is wanted.
func PastRPO(now time.Time, late time.Duration, newestPoint, protectedSince *time.Time) bool {
	since := LateSince(late, newestPoint, protectedSince)
	return since != nil && now.After(*since)
}
