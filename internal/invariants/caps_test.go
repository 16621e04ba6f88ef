package invariants

import (
	"time"

	"staffeln/backup"
)

// makeInProgress adds backups of separate volumes, in progress and one hour apart, each with its record.
func makeInProgress(h *history, ids ...string) *history {
	for _, id := range ids {
		h.event(Requested, id, of("volume of "+id)).record(id, backup.Creating)
	}
	return h
}

func slow(r *Record)     { r.Slow = began.Add(time.Hour) }
func uncapped(r *Record) { r.Uncapped = began.Add(time.Hour) }

// capBreaches returns histories that exceed each cap.
func capBreaches() []breach {
	all := Caps{Total: 2}
	late := newHistory().capped(all)
	return []breach{
		{CapExceeded, makeInProgress(newHistory().capped(all), "a", "b", "c"), "c", "with it 3 backups of ours were in progress in all, and the cap is 2"},
		{CapExceeded, makeInProgress(newHistory().capped(Caps{PerProject: 1}), "a", "b"), "b", "in progress in the project, and the cap is 1"},
		{CapExceeded, makeInProgress(newHistory().capped(Caps{PerZone: 1}), "a", "b"), "b", "in progress in zone z, and the cap is 1"},
		{CapExceeded, makeInProgress(newHistory().capped(Caps{Total: 2, Slow: 1}), "a", "b", "c", "d").event(Available, "d").state("d", backup.Available).
			change("a", slow).change("b", slow).change("d", func(r *Record) { r.Reason = backup.TwinBackup }).state("c", backup.Creating).
			capped(Caps{Total: 1, Slow: 1}), "c", "with it 2 backups of ours were in progress in all"},
		{CapExceeded, makeInProgress(makeInProgress(late, "a", "b"), "c").change("a", func(r *Record) { r.Uncapped = began.Add(2*time.Hour + time.Second) }), "c", "in all"},
		{CapExceeded, makeInProgress(newHistory().capped(Caps{PerProject: 1}), "a", "b").change("a", slow), "b", "in the project"}, // a slow one keeps its slot there
	}
}

func underTheCaps() map[string]*history {
	two := Caps{Total: 2, PerProject: 2, PerZone: 2}
	twin := newHistory().capped(Caps{Total: 1}).event(Requested, "a", of("w"), tagged("record of b")).record("a", backup.Available, func(r *Record) { r.Reason = backup.TwinBackup })
	unreconciled := makeInProgress(newHistory().capped(Caps{Total: 1}), "a").event(Requested, "b", of("w"), tagged("record of a"))
	unreconciled.Limits.Reconcile, unreconciled.Now = day, began.Add(day)
	return map[string]*history{
		"as many as the caps":              makeInProgress(newHistory().capped(two), "a", "b"),
		"no caps":                          makeInProgress(newHistory(), "a", "b", "c"),
		"one of them ended":                makeInProgress(makeInProgress(newHistory().capped(two), "a", "b").event(Available, "a").state("a", backup.Available), "c"),
		"one of them failed":               makeInProgress(makeInProgress(newHistory().capped(two), "a", "b").event(Errored, "a").state("a", backup.Failed), "c"),
		"one of them is overdue":           makeInProgress(newHistory().capped(two), "a", "b", "c").change("a", uncapped),
		"far beyond their usual time":      makeInProgress(newHistory().capped(Caps{Total: 1, Slow: 2}), "a", "b", "c").change("a", slow).change("b", slow),
		"no bound for those":               makeInProgress(newHistory().capped(Caps{Total: 1}), "a", "b", "c").change("a", slow).change("b", slow),
		"another project, in another zone": makeInProgress(newHistory().capped(Caps{PerProject: 1, PerZone: 1}), "a").event(Requested, "b", of("w"), in("q", "y")).record("b", backup.Creating),
		"a zone that is not known":         makeInProgress(newHistory().capped(Caps{PerZone: 1}), "a").event(Requested, "b", of("w"), in("q", "")).event(Requested, "c", of("x"), in("q", "")).record("b", backup.Creating).record("c", backup.Creating),
		"somebody else's":                  makeInProgress(newHistory().capped(Caps{Total: 1}).event(Requested, "x", theirs), "a"),
		"carried out long after":           makeInProgress(twin, "b").event(Available, "a"),
		"the same, before the reconcile":   unreconciled,
		"whose end is known by its tag":    makeInProgress(tagUncapped(), "b"),
	}
}

// tagUncapped returns a history with a backup that no record holds any more; the record that its tag names has ended.
func tagUncapped() *history {
	h := newHistory().capped(Caps{Total: 1}).event(Requested, "a", of("w"), tagged("ended"))
	h.Records = append(h.Records, Record{ID: "ended", Volume: "w", State: backup.Failed, Uncapped: began})
	h.Limits.Reconcile, h.Now = day, began.Add(time.Hour)
	return h
}
