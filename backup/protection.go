package backup

import (
	"cmp"
	"time"
)

// A Protection says how well a volume is protected now.
type Protection string

// The protections, as people and programs read them.
const (
	Protected   Protection = "protected"   // its newest restore point is young enough
	Late        Protection = "late"        // its newest restore point is past the RPO, or it is protected for as long and has none
	Waiting     Protection = "waiting"     // for its first restore point, and not late
	Unprotected Protection = "unprotected" // no server of its asks for backups
	Unknown     Protection = "unknown"     // the newest plan did not see enough to tell
	Gone        Protection = "gone"        // the volume is no more
)

// Protections lists them all in the order in which people read them.
var Protections = []Protection{Protected, Late, Waiting, Unprotected, Unknown, Gone}

// Sentence says it of several volumes, for people.
func (p Protection) Sentence() string { return protectionSentences[p] }

var protectionSentences = map[Protection]string{
	Protected:   "Their newest restore point is young enough.",
	Late:        "Their newest restore point is too old, or they never got one.",
	Waiting:     "For their first restore point.",
	Unprotected: "No server asks for their backup.",
	Unknown:     "The newest plan did not see enough.",
	Gone:        "Deleted; their backups are kept.",
}

// ProtectionFacts are what the protection of a volume is judged by. They are
// plain truths, so that a database can count and filter by them and leaves the
// judgement to [ProtectionFacts.Protection].
type ProtectionFacts struct {
	Gone     bool // Cinder does not know the volume any more
	Wanted   bool // a server asks for backups, as far as was ever seen
	Unseen   bool // the newest plan did not see enough to tell whether one does
	HasPoint bool // there is a restore point of the project that owns the volume
	PastRPO  bool // [LateSince] has passed
}

// Protection judges the facts. A volume that is past its RPO is late even where
// the newest plan did not see it: a cloud that is away must not end an alarm.
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

// LateSince returns when a volume becomes late: late after the data of its
// newest restore point or, without any, after its protection began. It returns
// nil where neither is known.
func LateSince(late time.Duration, newestPoint, protectedSince *time.Time) *time.Time {
	begins := cmp.Or(newestPoint, protectedSince)
	if begins == nil {
		return nil
	}
	return new(begins.Add(late))
}

// PastRPO reports whether the volume would be late now if it is wanted.
func PastRPO(now time.Time, late time.Duration, newestPoint, protectedSince *time.Time) bool {
	since := LateSince(late, newestPoint, protectedSince)
	return since != nil && now.After(*since)
}
