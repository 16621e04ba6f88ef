package laws

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

var began = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// A history is a journal and records in the making: one volume v in project p, one event an hour unless at says otherwise.
type history struct {
	Facts

	now time.Time
}

func newHistory() *history { return &history{now: began} }

func (h *history) at(t time.Time) *history { h.now = t; return h }

func (h *history) event(kind EventKind, id string, change ...func(*Event)) *history {
	e := Event{At: h.now, Kind: kind, Backup: id, Volume: "v", Project: "p", Ours: true, Scope: "p"}
	for _, c := range change {
		c(&e)
	}
	h.Journal = append(h.Journal, e)
	h.now = h.now.Add(time.Hour)
	return h
}

func (h *history) record(id string, state backup.State) *history {
	h.Records = append(h.Records, Record{ID: "record of " + id, Volume: "v", Backup: id, State: state, Retention: backup.Period{Days: 10}})
	return h
}

func on(parent string) func(*Event) { return func(e *Event) { e.Parent = parent } }
func theirs(e *Event)               { e.Ours = false }

// made is a full that became available, with its record.
func (h *history) made(id string, change ...func(*Event)) *history {
	return h.event(Requested, id, change...).event(Available, id).record(id, backup.Available)
}

// gone removes a backup after ten days or more, and ends its record.
func (h *history) gone(id string) *history {
	for i := range h.Records {
		if h.Records[i].Backup == id {
			h.Records[i].State = backup.Deleted
		}
	}
	return h.event(RemovalAsked, id).event(Removed, id)
}

func TestALawfulHistoryPasses(t *testing.T) {
	h := newHistory().made("F").made("I", on("F")).made("J", on("I")).
		event(Requested, "bad", on("J")).event(Errored, "bad").record("bad", backup.Failed).gone("bad"). // a leftover goes at once
		event(Requested, "G").event(Available, "G").record("G", backup.Available).
		event(Requested, "K", on("G"), func(e *Event) { e.Tag = "waits" })
	h.Records = append(h.Records, Record{ID: "waits", Volume: "v", State: backup.Creating}) // its answer was lost
	h.event(Requested, "foreign", theirs, func(e *Event) { e.Volume = "w" }).event(RemovalAsked, "foreign", theirs).event(Removed, "foreign")
	h.at(began.Add(20 * day)).gone("J").gone("I").gone("F")
	require.Empty(t, Check(h.Facts))
	require.Empty(t, Check(Facts{}))
}

// Each law broken once: it is named, alone, with its objects.
func TestEachLawIsNamedWhereItIsBroken(t *testing.T) {
	cases := []struct {
		law     Law
		history *history
		backup  string
		text    string
	}{
		{Overlap, newHistory().event(Requested, "a").made("b").event(Available, "a").record("a", backup.Available), "b", "backup a of the volume was in progress"},
		{Orphan, newHistory().event(Requested, "a").event(Available, "a"), "a", "no record does"},
		{Orphan, newHistory().event(Requested, "a").event(Available, "a").record("a", backup.Deleted), "a", "its record says that it was deleted"},
		{Orphan, newHistory().event(Requested, "a", func(e *Event) { e.Tag = "nobody" }).event(Errored, "a"), "a", "no record does"},
		{LostRecord, newHistory().record("a", backup.Available), "a", "the record is available"},
		{LostRecord, newHistory().record("a", backup.Creating), "a", "the record is creating"},
		{LostRecord, newHistory().made("a").event(Removed, "a"), "a", "the record is available"},
		{IllegalChain, newHistory().made("b", on("a")), "b", "it is not in Cinder"},
		{IllegalChain, newHistory().event(Requested, "a").event(Errored, "a").record("a", backup.Failed).made("b", on("a")), "b", "it is errored"},
		{IllegalChain, newHistory().made("a").at(began.Add(20*day)).gone("a").made("b", on("a")), "b", "it is removed"},
		{IllegalChain, newHistory().made("a").made("b", on("a"), func(e *Event) { e.Volume = "w" }), "b", "it is of volume v"},
		{IllegalChain, newHistory().made("a").made("b", on("a"), func(e *Event) { e.Project = "q" }), "b", "it is of project p"},
		{IllegalChain, newHistory().made("a").made("b", on("a")).event(RemovalAsked, "a", theirs).made("c", on("b")), "c", "its own ground a is removal_asked"},
		{EarlyRemoval, newHistory().made("a").at(began.Add(10*day - time.Second)).gone("a"), "a", "1s before its retention of 1w3d was over"},
		{ParentRemovedFirst, newHistory().made("a").made("b", on("a")).at(began.Add(20 * day)).gone("a"), "a", "while backup b stood on it"},
		{ParentRemovedFirst, newHistory().made("a").made("b", on("a")).at(began.Add(20*day)).event(RemovalAsked, "b").gone("a").event(Removed, "b").state("b", backup.Deleted), "a", "while backup b stood on it"},
		{ForeignToken, newHistory().made("a").at(began.Add(20*day)).event(RemovalAsked, "a", func(e *Event) { e.Scope = "q" }), "a", `token of project "q"`},
		{ForeignTouched, newHistory().event(Requested, "a", theirs).event(Available, "a").at(began.Add(20*day)).event(RemovalAsked, "a"), "a", "not ours"},
	}
	broken := map[Law]bool{}
	for i, c := range cases {
		t.Run(fmt.Sprint(i, " ", c.law), func(t *testing.T) {
			found := Check(c.history.Facts)
			require.Len(t, found, 1, "%v", found)
			require.Equal(t, c.law, found[0].Law)
			require.Equal(t, c.backup, found[0].Backup)
			require.Contains(t, found[0].Text, c.text)
			require.NotEmpty(t, found[0].Volume)
			require.Contains(t, found[0].String(), "backup "+c.backup)
		})
		broken[c.law] = true
	}
	require.Len(t, broken, len(Laws), "every law has a case")
}

// What looks alike and breaks nothing.
func TestWhatBreaksNoLaw(t *testing.T) {
	for name, h := range map[string]*history{
		"removed at the end of its retention":         newHistory().made("a").at(began.Add(10 * day)).gone("a"),
		"somebody else's removal, before its time":    newHistory().made("a").event(RemovalAsked, "a", theirs),
		"a backup of somebody else in progress":       newHistory().event(Requested, "a", theirs).made("b"),
		"two volumes at once":                         newHistory().event(Requested, "a", func(e *Event) { e.Volume = "w" }).made("b").event(Available, "a").record("a", backup.Available),
		"an incremental that turned out a full":       newHistory().made("a").event(Requested, "b", on("a")).event(Available, "b", func(e *Event) { e.Full = true }).record("b", backup.Available).at(began.Add(20 * day)).gone("a"),
		"a removal that is not confirmed yet":         newHistory().made("a").at(began.Add(20*day)).event(RemovalAsked, "a").event(Removed, "a").state("a", backup.Deleting),
		"a leftover whose record still holds it":      newHistory().event(Requested, "a").event(Errored, "a").record("a", backup.Failed),
		"a record that was lost and says so":          newHistory().made("a").event(Removed, "a").state("a", backup.Lost),
		"a backup of before the journal":              newHistory().event(RemovalAsked, "old").event(Removed, "old"),
		"an incremental after its parent was removed": newHistory().made("a").at(began.Add(20 * day)).gone("a").made("b"),
	} {
		require.Empty(t, Check(h.Facts), name)
	}
}

func (h *history) state(id string, s backup.State) *history {
	for i := range h.Records {
		if h.Records[i].Backup == id {
			h.Records[i].State = s
		}
	}
	return h
}

// All orders of removing a chain of three: leaf first is the only lawful one.
func TestOnlyLeafFirstIsLawful(t *testing.T) {
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
			require.Equal(t, ParentRemovedFirst, v.Law, "%v", order)
		}
	}
}
