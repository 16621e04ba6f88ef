package invariants

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func scoped(project string) func(*Event) { return func(e *Event) { e.Scope = project } }

// removalBreaches returns violations of each invariant of removals.
func removalBreaches() []breach {
	old := began.Add(20 * day)
	chain := func() *history { return newHistory().made("a").made("b", on("a")) }
	changed := func() *history { // a week, until it was shortened on the fifth day
		h := newHistory().made("a").promise(Promise{From: began, To: began.Add(5 * day), Retention: days(7)}).
			promise(Promise{From: began.Add(5 * day), Retention: days(2)})
		h.ShortenDelay = day
		return h
	}
	two := func() *history { return newHistory().made("a").made("b") }
	floor := func(h *history, n int) *history { return h.promise(Promise{From: began, Floor: n}) }
	return []breach{
		{EarlyRemoval, newHistory().made("a").at(began.Add(10*day - time.Second)).gone("a"), "a", "1s before its retention was over"},
		{EarlyRemoval, changed().at(began.Add(6*day - time.Second)).gone("a"), "a", "24h0m1s before its retention was over"},
		{EarlyRemoval, newHistory().made("a").promise(Promise{From: began, Retention: days(12)}).at(began.Add(11 * day)).gone("a"), "a", "24h0m0s before"},
		{EarlyRemoval, newHistory().made("a").promise(Promise{From: began, To: began.Add(day), Retention: days(2)}).at(began.Add(3 * day)).gone("a"), "a", "168h0m0s before"},
		{EarlyRemoval, newHistory().event(Requested, "a").event(Available, "a").gone("a"), "a", "no record has its retention"},
		{FloorBroken, floor(newHistory().made("a"), 1).at(old).gone("a"), "a", "among the newest 1 restore points"},
		{FloorBroken, floor(two(), 1).at(old).gone("b"), "b", "among the newest 1 restore points"},
		{FloorBroken, floor(two(), 2).at(old).gone("a"), "a", "among the newest 2 restore points"},
		{FloorBroken, floor(newHistory().made("a").event(Requested, "b").event(Errored, "b").record("b", backup.Failed), 1).at(old).gone("a"), "a", "newest 1"},
		{FloorBroken, floor(newHistory().made("a").event(Requested, "b", theirs).event(Available, "b"), 1).at(old).gone("a"), "a", "newest 1"},
		{FloorBroken, floor(two().event(Removed, "b").state("b", backup.Lost), 1).at(old).gone("a"), "a", "newest 1"},
		{FloorBroken, floor(two().made("c", on("b")).event(Errored, "b"), 1).at(old).gone("a"), "a", "newest 1"}, // c depends on a backup in error
		{FloorBroken, floor(two().change("b", func(r *Record) { r.State, r.Reason = backup.Failed, backup.Cancelled }), 1).at(old).gone("a"), "a", "newest 1"},
		{FloorBroken, newHistory().made("a").promise(Promise{From: old, To: old.Add(time.Hour), Floor: 1}).at(old).gone("a"), "a", "newest 1"},
		{ParentRemovedFirst, chain().at(old).gone("a"), "a", "while backup b stood on it"},
		{ParentRemovedFirst, chain().at(old).event(RemovalAsked, "b").gone("a").event(Removed, "b").state("b", backup.Deleted), "a", "while backup b stood on it"},
		{ParentRemovedFirst, newHistory().made("a").event(Requested, "b", theirs, on("a")).event(Available, "b").at(old).gone("a"), "a", "while backup b stood on it"},
		{ParentRemovedFirst, newHistory().made("a").event(Requested, "b", on("a")).record("b", backup.Creating).at(old).gone("a"), "a", "while backup b stood on it"},
		{ForeignToken, newHistory().made("a").at(old).gone("a", scoped("q")), "a", `token of project "q"`},
		{ForeignToken, newHistory().made("a").at(old).gone("a", scoped("")), "a", `token of project ""`},
		{ForeignToken, left(newHistory().made("a"), old.Add(time.Second)).at(old).gone("a", scoped("q")), "a", `token of project "q"`},
		{ForeignToken, newHistory().made("a", scoped("q")), "a", `asked for with a token of project "q"`},
		{ForeignTouched, newHistory().event(Requested, "a", theirs).event(Available, "a").event(Updated, "a"), "a", "was changed by us"},
		{ForeignTouched, newHistory().event(Requested, "a", theirs).event(Available, "a").at(old).event(RemovalAsked, "a"), "a", "not ours"},
	}
}

// left returns a history whose project p is deleted.
func left(h *history, at time.Time) *history {
	h.Gone = map[string]time.Time{"p": at}
	return h
}

func allowedRemovals() map[string]*history {
	old := began.Add(20 * day)
	shortened := newHistory().made("a").promise(Promise{From: began, To: began.Add(5 * day), Retention: days(7)}).
		promise(Promise{From: began.Add(5 * day), Retention: days(2)})
	shortened.ShortenDelay = day
	two := func() *history { return newHistory().made("a").made("b") }
	purged := func(r *Record) { r.Removal = backup.ProjectPurged }
	return map[string]*history{
		"removed at the end of its retention":      newHistory().made("a").at(began.Add(10 * day)).gone("a"),
		"somebody else's removal, before its time": newHistory().made("a").event(RemovalAsked, "a", theirs),
		"an incremental that turned out a full":    newHistory().made("a").event(Requested, "b", on("a")).event(Available, "b", func(e *Event) { e.Full = true }).record("b", backup.Available).at(old).gone("a"),
		"a removal that is not confirmed yet":      newHistory().made("a").at(old).event(RemovalAsked, "a").event(Removed, "a").state("a", backup.Deleting),
		"a shorter retention after the delay":      shortened.at(began.Add(6 * day)).gone("a"),
		"a longer promise that began later":        newHistory().made("a").promise(Promise{From: old.Add(time.Second), Retention: days(90)}).at(old).gone("a"),
		"a leftover of which no record knows":      newHistory().event(Requested, "a").event(Errored, "a").gone("a"),
		"cancelled, and made after all":            newHistory().made("a").change("a", func(r *Record) { r.State, r.Reason = backup.Failed, backup.Cancelled }).gone("a"),
		"purged by the operator, floor and all":    left(newHistory().made("a").promise(Promise{From: began, Floor: 1, Retention: days(90)}).change("a", purged), began.Add(2*time.Hour)).gone("a", scoped("admin")),
		"a newer point remains":                    two().promise(Promise{From: began, Floor: 1}).at(old).gone("a"),
		"leaf first, and two newer points remain":  newHistory().made("a").made("b", on("a")).made("c").made("d").promise(Promise{From: began, Floor: 2}).at(old).gone("b").gone("a"),
		"not protected any more":                   newHistory().made("a").promise(Promise{From: began, To: old, Floor: 1}).at(old).gone("a"),
		"not protected yet":                        newHistory().made("a").at(old).gone("a").promise(Promise{From: old.Add(time.Second), Floor: 1}),
		"no floor":                                 newHistory().made("a").promise(Promise{From: began}).at(old).gone("a"),
		"the floor is that of another project":     newHistory().made("a", in("q", "z")).promise(Promise{From: began, Floor: 1}).at(old).gone("a", in("q", "z")),
		"a leftover of a protected volume":         newHistory().made("a").event(Requested, "b").event(Errored, "b").record("b", backup.Failed).promise(Promise{From: began, Floor: 2}).gone("b"),
		"a parent whose dependents are gone":       newHistory().made("a").made("b", on("a")).event(Removed, "b").state("b", backup.Lost).at(old).gone("a"),
		"a promise of another volume's":            otherVolumes(old),
	}
}

// otherVolumes returns a history with a promise for a volume without removals.
func otherVolumes(old time.Time) *history {
	h := newHistory().made("a").promise(Promise{From: began, Floor: 5, Retention: days(90)})
	h.Promises[0].Volume = "w"
	return h.at(old).gone("a")
}

// All orders of removing a chain of three links: only leaf first is allowed.
func TestOnlyLeafFirstRemovalIsAllowed(t *testing.T) {
	for _, order := range [][]string{{"F", "I", "J"}, {"F", "J", "I"}, {"I", "F", "J"}, {"I", "J", "F"}, {"J", "F", "I"}, {"J", "I", "F"}} {
		h := newHistory().made("F").made("I", on("F")).made("J", on("I")).at(began.Add(20 * day))
		for _, id := range order {
			h.gone(id)
		}
		found := Check(h.Facts)
		if fmt.Sprint(order) == "[J I F]" {
			require.Empty(t, found)
			continue
		}
		require.NotEmpty(t, found, "%v", order)
		for _, v := range found {
			require.Equal(t, ParentRemovedFirst, v.Invariant, "%v", order)
		}
	}
}
