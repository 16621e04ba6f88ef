package invariants

import (
	"time"

	"staffeln/backup"
)

func tell(what Tale, id string) Told {
	return Told{What: what, Volume: "v", Project: "p", Backup: id, Record: "record of " + id}
}

// lateAfter is a history in which a volume is late whose newest point is older.
func lateAfter(h *history, d time.Duration) *history { h.Limits.Late = d; return h }

// failedAt is told of a, to have failed so many hours after the beginning.
func failedAt(hours int) Told {
	t := tell(ToldFailed, "a")
	t.Of = began.Add(time.Duration(hours) * time.Hour)
	return t
}

// projectGone is a backup whose project went some hours after the beginning.
func projectGone(hours int) *history {
	h := newHistory().made("a").state("a", backup.Failed).at(began.Add(9 * time.Hour))
	h.Gone = map[string]time.Time{"p": began.Add(time.Duration(hours) * time.Hour)}
	return h
}

// seenAt is a history in which we see some hours later what Cinder made, and saw a then.
func seenAt(h *history, at time.Time) *history {
	h.Limits.Seen = 5 * time.Hour
	return h.change("a", func(r *Record) { r.Seen = at })
}

var late = Told{What: ToldLate, Volume: "v", Project: "p"}

// tales tell what did not happen.
func tales() []breach {
	creating := func() *history { return newHistory().event(Requested, "a").record("a", backup.Creating) }
	byRecord := Told{What: ToldFailed, Volume: "v", Record: "record of a"}
	early := failedAt(9)
	elsewhere := tell(ToldSucceeded, "a")
	elsewhere.Project, elsewhere.Record = "q", ""
	unnamed := Told{What: ToldFailed, Volume: "v", Record: "record of a", Project: "q"}
	refused := newHistory().record("a", backup.Failed).told(unnamed)
	refused.Records[0].Backup = ""
	return []breach{
		{FalseReport, creating().told(tell(ToldSucceeded, "a")), "a", "told as succeeded, and Cinder had not made it"},
		{FalseReport, creating().told(tell(ToldSucceeded, "a")).at(began.Add(2*time.Hour)).event(Available, "a").state("a", backup.Available), "a", "had not made it"},
		{FalseReport, newHistory().told(tell(ToldSucceeded, "x")), "x", "had not made it"},
		{FalseReport, newHistory().made("a").told(tell(ToldFailed, "a")), "a", "told as failed, and Cinder had made it"},
		{FalseReport, newHistory().event(Requested, "a").event(Errored, "a").record("a", backup.Failed).told(early).at(began.Add(9 * time.Hour)), "a", "that moment had not come"},
		{FalseReport, newHistory().made("a").event(Errored, "a").event(Available, "a").told(failedAt(4)), "a", "told as failed, and Cinder had made it"},
		{FalseReport, projectGone(3).told(failedAt(2)), "a", "told as failed, and Cinder had made it"},
		{FalseReport, newHistory().made("a").told(byRecord), "a", "told as failed, and Cinder had made it"},
		{FalseReport, newHistory().made("a").told(tell(ToldRemoved, "a")), "a", "told as removed, and Cinder still had it"},
		{FalseReport, newHistory().made("a").at(began.Add(20 * day)).told(tell(ToldRemoved, "a")).gone("a"), "a", "Cinder still had it"},
		{FalseReport, newHistory().told(tell(ToldRemoved, "x")), "x", "Cinder still had it"},
		{FalseReport, newHistory().made("a").told(elsewhere), "a", "told as succeeded, and it is project p's"},
		{FalseReport, refused, "", "it is project p's"},
		{FalseReport, lateAfter(newHistory().made("a").told(late), 2*time.Hour), "", "its restore point a was 2h0m0s old"},
		{FalseReport, seenAt(lateAfter(newHistory().made("a").told(late), day), began.Add(2*time.Hour)), "", "its restore point a was 2h0m0s old"},
		{FalseReport, seenAt(lateAfter(newHistory().made("a").at(began.Add(10*time.Hour)).told(late), day), began.Add(11*time.Hour)), "", "its restore point a was 10h0m0s old"},
		{FalseReport, lateAfter(newHistory().made("a").told(late).at(began.Add(3*time.Hour)).event(Errored, "a"), 2*time.Hour), "", "its restore point a was"},
		{FalseReport, newHistory().made("a").told(tell("vanished", "a")), "a", "no such thing can be told"},
	}
}

func truths() map[string]*history {
	operators := tell(ToldSucceeded, "a")
	operators.Project = ""
	refused := newHistory().record("a", backup.Failed).told(Told{What: ToldFailed, Volume: "v", Project: "p", Record: "record of a"})
	refused.Records[0].Backup = ""
	same := newHistory().event(Requested, "a").told(tell(ToldFailed, "a")).event(Available, "a").record("a", backup.Available)
	same.Told[0].At = began.Add(time.Hour)
	return map[string]*history{
		"succeeded":                            newHistory().made("a").told(tell(ToldSucceeded, "a")),
		"succeeded, at that very moment":       newHistory().event(Requested, "a").told(tell(ToldSucceeded, "a")).event(Available, "a").record("a", backup.Available),
		"told to the operator":                 newHistory().made("a").told(operators),
		"failed":                               newHistory().event(Requested, "a").event(Errored, "a").record("a", backup.Failed).told(tell(ToldFailed, "a")),
		"overdue, and made later":              newHistory().event(Requested, "a").told(tell(ToldFailed, "a")).at(began.Add(9*time.Hour)).event(Available, "a").record("a", backup.Available),
		"failed, and others reset it":          newHistory().event(Requested, "a").event(Errored, "a").event(Available, "a").record("a", backup.Failed).told(failedAt(2)),
		"failed, since its project was gone":   projectGone(2).told(failedAt(2)),
		"late, with one that we have not seen": seenAt(lateAfter(newHistory().made("a").told(late), day), began.Add(3*time.Hour)),
		"failed, at that very moment":          same,
		"refused, and Cinder never named any":  refused,
		"removed":                              newHistory().made("a").at(began.Add(20 * day)).gone("a").told(tell(ToldRemoved, "a")),
		"late, with a point that is old":       lateAfter(newHistory().made("a").told(late), 2*time.Hour-time.Second),
		"late, with a point that was lost":     lateAfter(newHistory().made("a").event(Removed, "a").state("a", backup.Lost).told(late), day),
		"late, with a point that is going":     lateAfter(newHistory().made("a").event(RemovalAsked, "a", theirs).told(late).at(began.Add(9*time.Hour)).event(Removed, "a").state("a", backup.Lost), day),
		"late, with one still to be made":      lateAfter(newHistory().told(late).made("a"), day),
		"late, with nobody's but the tenant's": lateAfter(newHistory().event(Requested, "a", theirs).event(Available, "a").told(late), day),
		"late, and another volume is not":      lateAfter(newHistory().made("a", of("w")).told(late), day),
	}
}
