package invariants

import (
	"time"

	"staffeln/backup"
)

// daily returns a history of a volume with a daily backup, a retention of ten days and two incrementals after each
// full.
func daily() *history {
	h := newHistory()
	h.Schedule = &Schedule{Interval: day, Period: 2 * time.Hour, Depth: 2, Floor: 1}
	h.Limits = Limits{Late: 30 * time.Hour, Expired: 6 * time.Hour, Reconcile: 12 * time.Hour}
	h.Wishes = []Wish{{Volume: "v", Project: "p", From: began, Seen: began, Sure: began.Add(2 * time.Hour)}}
	return h
}

// on sets the current day, counted from 0.
func (h *history) on(d int) *history { return h.at(began.Add(time.Duration(d) * day)) }

// ends ends the journal at the current time.
func (h *history) ends() *history { h.Now = h.now; return h }

func (h *history) hindered(x Hindrance) *history {
	h.Hindrances = append(h.Hindrances, x)
	return h
}

// wishEnds ends the wish at this time, and two plans see it four hours later.
func (h *history) wishEnds(at time.Time) *history {
	h.Wishes[0].To, h.Wishes[0].Over = at, at.Add(4*time.Hour)
	return h
}

// kept promises a retention of this many days, which is also the longest.
func (h *history) kept(d int) *history {
	return h.promise(Promise{From: began, Retention: days(d), Longest: days(d)})
}

func (h *history) shown(late bool, reasons ...string) *history {
	h.Shown = append(h.Shown, Shown{At: h.now, Volume: "v", Late: late, Reasons: reasons})
	return h
}

func resized(h *history) *history { return h.event(Resized, "") }

// twoDays returns a history with a full and an incremental.
func twoDays() *history { return daily().made("a").on(1).made("b", on("a")) }

func away(from, to int) Hindrance {
	return Hindrance{Name: "Cinder is away", From: began.Add(time.Duration(from) * time.Hour), To: began.Add(time.Duration(to) * time.Hour), Makes: true, Reasons: []string{"plan_old operator"}}
}

func scheduleViolations() []breach {
	lasting := away(10, 0)
	lasting.To = time.Time{}
	stuck := daily().kept(2).made("a").event(Updated, "a", theirs).on(1).made("b").on(2).state("a", backup.Deleting).event(RemovalAsked, "a").event(Hangs, "a")
	return []breach{
		{Unwanted, daily().wishEnds(began.Add(time.Hour)).on(1).made("a"), "a", "nobody wants the volume protected"},
		{Unwanted, daily().made("x", of("w")), "x", "nobody wants the volume protected"},
		{TooOften, daily().made("a").made("b", on("a")), "b", "asked for 2h0m0s after backup a"},
		{WrongKind, daily().event(Requested, "x", theirs).event(Available, "x").made("b", on("x")), "b", "there is no full of ours"},
		{WrongKind, twoDays().on(2).made("c", on("b")).on(3).made("d", on("c")), "d", "the chain has all its incrementals"},
		{WrongKind, resized(daily().made("a")).on(1).made("b", on("a")), "b", "the volume's size changed"},
		{WrongKind, twoDays().on(2).made("c"), "c", "nothing ended its chain"},
		{MissedBackup, daily().on(2).ends(), "", "for 30h0m0s"},
		{MissedBackup, daily().made("a").on(2).made("b", on("a")), "", "the newest restore point is of 2026-03-01T00:00:00Z"},
		{MissedBackup, daily().hindered(away(10, 12)).on(2).made("a"), "", "for 30h0m0s"},
		{MissedBackup, daily().hindered(Hindrance{Project: "q", From: began, Makes: true}).on(2).made("a"), "", "for 30h0m0s"},
		{MissedBackup, daily().on(2).wishEnds(began.Add(31 * time.Hour)).ends(), "", "for 30h0m0s"},
		{OverdueRemoval, daily().kept(3).made("a").wishEnds(began.Add(2 * time.Hour)).on(5).gone("a"), "a", "should be gone since 2026-03-04"},
		{OverdueRemoval, daily().kept(9).event(Requested, "a").event(Errored, "a").record("a", backup.Failed).on(1).made("b"), "a", "it is errored"},
		{FalseProtection, daily().made("a").hindered(lasting).on(3).shown(false, "plan_old operator"), "", "not shown as late"},
		{FalseProtection, daily().hindered(away(1, 72)).on(3).shown(false, "r"), "", "not shown as late"},
		{FalseProtection, daily().made("a").shown(true, "r"), "", "it is shown as late"},
		{Unexplained, daily().made("a").hindered(lasting).on(3).shown(true), "", "no reason is shown"},
		{Unexplained, daily().made("a").hindered(lasting).on(3).shown(true, "quota_exceeded tenant"), "", `late by ["Cinder is away"]`},
		{Unexplained, stuck.on(3).shown(true, "r"), "", "the removal of backup a can't end"},
	}
}

// allowedSchedules returns similar histories without a violation.
func allowedSchedules() map[string]*history {
	lasting := away(10, 0)
	lasting.To = time.Time{}
	elsewhere := daily().made("a").on(1).made("x", of("w"))
	elsewhere.Wishes = append(elsewhere.Wishes, Wish{Volume: "w", Project: "p", From: began.Add(day)})
	stuck := daily().kept(2).made("a").event(Updated, "a", theirs).on(1).made("b").on(2).state("a", backup.Deleting).event(RemovalAsked, "a").event(Hangs, "a")
	return map[string]*history{
		"a backup each day": twoDays().on(2).made("c", on("b")).on(3).made("d"),
		"asked for before plans saw that the wish ended": daily().wishEnds(began).made("a"),
		"two volumes":           elsewhere,
		"again after an outage": daily().hindered(away(2, 3)).made("a").made("b", on("a")),
		"again after an error":  daily().event(Requested, "a").event(Errored, "a").record("a", backup.Failed).made("b").gone("a"),
		"an incremental before the loss of the full shows": daily().made("a").on(1).event(RemovalAsked, "a", theirs).event(Removed, "a").state("a", backup.Lost).event(Requested, "x", theirs).event(Available, "x").made("b", on("x")),
		"a full after a tenant's backup":                   daily().made("a").event(Requested, "x", theirs).event(Available, "x").on(1).made("b"),
		"a full after a rename":                            daily().made("a").event(Updated, "a", theirs).on(1).made("b"),
		"a full after a restore":                           daily().made("a").hindered(Hindrance{Volume: "v", From: began, To: began.Add(3 * time.Hour), Chains: true}).on(1).made("b"),
		"late through an outage":                           daily().hindered(away(10, 50)).on(2).at(began.Add(60 * time.Hour)).made("a"),
		"late through an outage that lasts":                daily().hindered(lasting).on(9).ends(),
		"late through a tenant who removed it":             daily().on(1).made("a").event(RemovalAsked, "a", theirs).event(Removed, "a").state("a", backup.Lost).on(2).made("b"),
		"removed after the wish was over":                  twoDays().kept(2).wishEnds(began.Add(30 * time.Hour)).on(3).gone("b").gone("a").on(9).ends(),
		"no wish any more":                                 daily().made("a").wishEnds(began.Add(2 * time.Hour)).on(9).ends(),
		"removed in time":                                  twoDays().kept(3).wishEnds(began.Add(day + 2*time.Hour)).on(4).gone("b").gone("a"),
		"kept by the floor":                                daily().kept(3).made("a").hindered(away(2, 200)).on(8).ends(),
		"kept by the floor of a link above":                twoDays().kept(3).hindered(away(26, 200)).on(8).ends(),
		"kept by somebody else's":                          daily().kept(3).made("a").wishEnds(began.Add(3*time.Hour)).event(Requested, "x", theirs, on("a")).event(Available, "x").on(8).ends(),
		"not removed during an outage":                     daily().kept(3).made("a").wishEnds(began.Add(3 * time.Hour)).hindered(Hindrance{From: began, Removes: true}).on(8).ends(),
		"tried again a day after a reset":                  daily().kept(9).event(Requested, "a").event(Errored, "a", func(e *Event) { e.Reset = true }).record("a", backup.Failed).on(1).made("b").gone("a"),
		"shown as late with its reason":                    daily().made("a").hindered(lasting).on(3).shown(true, "now plan_old operator"),
		"shown as it is":                                   daily().made("a").shown(false),
		"late, and seen by one plan only":                  seenOnce(daily().hindered(away(1, 72)).on(3).shown(false)),
		"late a moment ago":                                daily().hindered(away(1, 40)).at(began.Add(40*time.Hour)).made("a").at(began.Add(41*time.Hour)).shown(true, "r"),
		"shown while the database was away":                daily().made("a").hindered(Hindrance{From: began, Shows: true}).shown(true, "r"),
		"a stuck removal that is shown":                    stuck.on(3).shown(true, "deleting deletion_stuck operator"),
	}
}

func seenOnce(h *history) *history {
	h.Wishes[0].Sure = time.Time{}
	return h
}
