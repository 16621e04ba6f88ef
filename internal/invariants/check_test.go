package invariants

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func TestHistoryWithoutViolation(t *testing.T) {
	h := newHistory().made("F").made("I", on("F")).made("J", on("I")).
		event(Requested, "bad", on("J")).event(Errored, "bad").record("bad", backup.Failed).gone("bad"). // a leftover is removed at once
		event(Requested, "G").event(Available, "G").record("G", backup.Available).
		event(Requested, "K", on("G"), tagged("waits"))
	h.Records = append(h.Records, Record{ID: "waits", Volume: "v", State: backup.Creating}) // its response was lost
	h.event(Requested, "foreign", theirs, of("w")).event(RemovalAsked, "foreign", theirs).event(Removed, "foreign")
	h.at(began.Add(20 * day)).gone("J").gone("I").gone("F")
	require.Empty(t, Check(h.Facts))
	require.Empty(t, Check(Facts{}))
	require.Empty(t, CheckNow(Snapshot{}))
}

// A breach is a history that violates one invariant and no other.
type breach struct {
	invariant Invariant
	history   *history
	backup    string
	text      string
}

// breaches returns violations of each invariant that a journal shows, in all variants.
func breaches() []breach {
	chain := func() *history { return newHistory().made("a").made("b", on("a")) }
	one := func() *history { return newHistory().event(Requested, "a") }
	all := []breach{
		{Overlap, one().made("b").event(Available, "a").record("a", backup.Available), "b", "backup a of the volume was in progress"},
		{Orphan, one().event(Available, "a"), "a", "no record does"},
		{Orphan, one().event(Available, "a").record("a", backup.Deleted), "a", "its record is deleted"},
		{Orphan, newHistory().event(Requested, "a", tagged("nobody")).event(Errored, "a"), "a", "no record does"},
		{LostRecord, newHistory().record("a", backup.Available), "a", "the record is available"},
		{LostRecord, newHistory().record("a", backup.Creating), "a", "the record is creating"},
		{LostRecord, newHistory().made("a").event(Removed, "a"), "a", "the record is available"},
		{IllegalChain, newHistory().made("b", on("a")), "b", "it is not in Cinder"},
		{IllegalChain, one().event(Errored, "a").record("a", backup.Failed).made("b", on("a")), "b", "it is errored"},
		{IllegalChain, newHistory().made("a").at(began.Add(20*day)).gone("a").made("b", on("a")), "b", "it is removed"},
		{IllegalChain, newHistory().made("a").made("b", on("a"), of("w")), "b", "it is of volume v"},
		{IllegalChain, newHistory().made("a").made("b", on("a"), in("q", "z")), "b", "it is of project p"},
		{IllegalChain, chain().event(RemovalAsked, "a", theirs).made("c", on("b")), "c", "an indirect parent, a, is removal_asked"},
		{FalseRecord, chain().change("b", func(r *Record) { r.Kind = backup.Full }), "b", "of kind full, and the backup in Cinder is incremental"},
		{FalseRecord, chain().change("a", func(r *Record) { r.Kind = backup.Incremental }), "a", "of kind incremental, and the backup in Cinder is full"},
		{FalseRecord, newHistory().event(Requested, "a", theirs).event(Available, "a").record("a", backup.Available), "a", "not ours"},
		{WrongProject, newHistory().made("a", func(e *Event) { e.Home = "q" }), "a", "made in project p, and its volume is project q's"},
	}
	return append(append(all, removalBreaches()...), append(append(capBreaches(), falseReports()...), scheduleViolations()...)...)
}

// Each invariant is violated in each way: only it is reported, with its objects.
func TestEachViolationIsFound(t *testing.T) {
	broken := map[Invariant]bool{}
	for i, c := range breaches() {
		t.Run(fmt.Sprint(i, " ", c.invariant), func(t *testing.T) {
			found := Check(c.history.Facts)
			require.Len(t, found, 1, "%v", found)
			require.Equal(t, c.invariant, found[0].Invariant)
			require.Equal(t, c.backup, found[0].Backup)
			require.Contains(t, found[0].Text, c.text)
			require.NotEmpty(t, found[0].Volume)
		})
		broken[c.invariant] = true
	}
	for _, m := range moments() {
		broken[m.invariant] = true
	}
	require.Len(t, broken, len(Always)+len(WithIntent), "every invariant has a case")
}

// Similar histories without a violation.
func TestHistoriesWithoutViolation(t *testing.T) {
	for name, h := range map[string]*history{
		"a backup of somebody else in progress":    newHistory().event(Requested, "a", theirs).made("b"),
		"two volumes at once":                      newHistory().event(Requested, "a", of("w")).made("b").event(Available, "a").record("a", backup.Available),
		"one after the other":                      newHistory().made("a").made("b"),
		"one after another that failed":            newHistory().event(Requested, "a").event(Errored, "a").record("a", backup.Failed).made("b"),
		"a leftover whose record still holds it":   newHistory().event(Requested, "a").event(Errored, "a").record("a", backup.Failed),
		"a lost record in the state lost":          newHistory().made("a").event(Removed, "a").state("a", backup.Lost),
		"a backup of before the journal":           newHistory().event(RemovalAsked, "old").event(Removed, "old"),
		"a full after the chain was removed":       newHistory().made("a").at(began.Add(20 * day)).gone("a").made("b"),
		"somebody else's incremental on nothing":   newHistory().event(Requested, "a", theirs, on("x")),
		"ours on somebody else's":                  newHistory().event(Requested, "a", theirs).event(Available, "a").made("b", on("a")),
		"somebody else's, in another project":      newHistory().event(Requested, "a", theirs, func(e *Event) { e.Home = "q" }),
		"a volume whose project is not known":      newHistory().made("a", func(e *Event) { e.Home = "" }),
		"an error that an admin set back to good":  newHistory().made("a").event(Errored, "a").event(Available, "a").made("b", on("a")),
		"an incremental on what turned out a full": newHistory().made("a").event(Requested, "b", on("a")).event(Available, "b", func(e *Event) { e.Full = true }).record("b", backup.Available).event(Removed, "a").state("a", backup.Lost).made("c", on("b")),
	} {
		require.Empty(t, Check(h.Facts), name)
	}
	for name, h := range allowedRemovals() {
		require.Empty(t, Check(h.Facts), name)
	}
	for name, h := range underTheCaps() {
		require.Empty(t, Check(h.Facts), name)
	}
	for name, h := range allowedSchedules() {
		require.Empty(t, Check(h.Facts), name)
	}
	for name, h := range trueReports() {
		require.Empty(t, Check(h.Facts), name)
	}
}

func TestAViolationIsOneLine(t *testing.T) {
	v := Violation{Invariant: Overlap, At: began.Add(time.Second / 2), Project: "p", Volume: "v", Backup: "b", Record: "r", Text: "twice"}
	require.Equal(t, "overlap: twice, volume v, backup b, record r, project p, at 2026-03-01T00:00:00.5Z", v.String())
	require.Equal(t, "orphan: there, backup b", Violation{Invariant: Orphan, Backup: "b", Text: "there"}.String())
}

// Violations within the journal come first, in its order and with their time, then those at its end.
func TestTheOrderOfViolations(t *testing.T) {
	h := newHistory().event(Requested, "a").event(Requested, "b").event(RemovalAsked, "b", func(e *Event) { e.Scope = "q" })
	found := Check(h.Facts)
	invariants := make([]Invariant, 0, len(found))
	for _, v := range found {
		invariants = append(invariants, v.Invariant)
	}
	require.Equal(t, []Invariant{Overlap, ForeignToken, Orphan, Orphan}, invariants)
	require.Equal(t, began.Add(time.Hour), found[0].At)
	require.Zero(t, found[2].At)
}
