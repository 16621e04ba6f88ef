package invariants

import (
	"time"

	"staffeln/backup"
)

func lineOf(what ReportedAs, id string) ReportLine {
	return ReportLine{What: what, Volume: "v", Project: "p", Backup: id, Record: "record of " + id}
}

// lateAfter returns a history in which a volume is late if its newest restore point is older than d.
func lateAfter(h *history, d time.Duration) *history { h.Limits.Late = d; return h }

// failedAt returns a line that reports that a failed this many hours after the beginning.
func failedAt(hours int) ReportLine {
	t := lineOf(ReportedFailed, "a")
	t.Of = began.Add(time.Duration(hours) * time.Hour)
	return t
}

// projectGone returns a backup whose project was deleted this many hours after the beginning.
func projectGone(hours int) *history {
	h := newHistory().made("a").state("a", backup.Failed).at(began.Add(9 * time.Hour))
	h.Gone = map[string]time.Time{"p": began.Add(time.Duration(hours) * time.Hour)}
	return h
}

// seenAt returns a history in which we see what Cinder made some hours later, and saw a at this time.
func seenAt(h *history, at time.Time) *history {
	h.Limits.Seen = 5 * time.Hour
	return h.change("a", func(r *Record) { r.Seen = at })
}

var late = ReportLine{What: ReportedLate, Volume: "v", Project: "p"}

// falseReports returns reports of what did not happen.
func falseReports() []breach {
	creating := func() *history { return newHistory().event(Requested, "a").record("a", backup.Creating) }
	byRecord := ReportLine{What: ReportedFailed, Volume: "v", Record: "record of a"}
	early := failedAt(9)
	elsewhere := lineOf(ReportedSucceeded, "a")
	elsewhere.Project, elsewhere.Record = "q", ""
	unnamed := ReportLine{What: ReportedFailed, Volume: "v", Record: "record of a", Project: "q"}
	refused := newHistory().record("a", backup.Failed).reported(unnamed)
	refused.Records[0].Backup = ""
	return []breach{
		{FalseReport, creating().reported(lineOf(ReportedSucceeded, "a")), "a", "reported as succeeded, and Cinder had not made it"},
		{FalseReport, creating().reported(lineOf(ReportedSucceeded, "a")).at(began.Add(2*time.Hour)).event(Available, "a").state("a", backup.Available), "a", "had not made it"},
		{FalseReport, newHistory().reported(lineOf(ReportedSucceeded, "x")), "x", "had not made it"},
		{FalseReport, newHistory().made("a").reported(lineOf(ReportedFailed, "a")), "a", "reported as failed, and Cinder had made it"},
		{FalseReport, newHistory().event(Requested, "a").event(Errored, "a").record("a", backup.Failed).reported(early).at(began.Add(9 * time.Hour)), "a", "that moment had not come"},
		{FalseReport, newHistory().made("a").event(Errored, "a").event(Available, "a").reported(failedAt(4)), "a", "reported as failed, and Cinder had made it"},
		{FalseReport, projectGone(3).reported(failedAt(2)), "a", "reported as failed, and Cinder had made it"},
		{FalseReport, newHistory().made("a").reported(byRecord), "a", "reported as failed, and Cinder had made it"},
		{FalseReport, newHistory().made("a").reported(lineOf(ReportedRemoved, "a")), "a", "reported as removed, and Cinder still had it"},
		{FalseReport, newHistory().made("a").at(began.Add(20 * day)).reported(lineOf(ReportedRemoved, "a")).gone("a"), "a", "Cinder still had it"},
		{FalseReport, newHistory().reported(lineOf(ReportedRemoved, "x")), "x", "Cinder still had it"},
		{FalseReport, newHistory().made("a").reported(elsewhere), "a", "reported as succeeded, and it is project p's"},
		{FalseReport, refused, "", "it is project p's"},
		{FalseReport, lateAfter(newHistory().made("a").reported(late), 2*time.Hour), "", "its restore point a was 2h0m0s old"},
		{FalseReport, seenAt(lateAfter(newHistory().made("a").reported(late), day), began.Add(2*time.Hour)), "", "its restore point a was 2h0m0s old"},
		{FalseReport, seenAt(lateAfter(newHistory().made("a").at(began.Add(10*time.Hour)).reported(late), day), began.Add(11*time.Hour)), "", "its restore point a was 10h0m0s old"},
		{FalseReport, lateAfter(newHistory().made("a").reported(late).at(began.Add(3*time.Hour)).event(Errored, "a"), 2*time.Hour), "", "its restore point a was"},
		{FalseReport, newHistory().made("a").reported(lineOf("vanished", "a")), "a", "no such thing can be reported"},
	}
}

func trueReports() map[string]*history {
	operators := lineOf(ReportedSucceeded, "a")
	operators.Project = ""
	refused := newHistory().record("a", backup.Failed).reported(ReportLine{What: ReportedFailed, Volume: "v", Project: "p", Record: "record of a"})
	refused.Records[0].Backup = ""
	same := newHistory().event(Requested, "a").reported(lineOf(ReportedFailed, "a")).event(Available, "a").record("a", backup.Available)
	same.Reports[0].At = began.Add(time.Hour)
	return map[string]*history{
		"succeeded":                            newHistory().made("a").reported(lineOf(ReportedSucceeded, "a")),
		"succeeded, at that very moment":       newHistory().event(Requested, "a").reported(lineOf(ReportedSucceeded, "a")).event(Available, "a").record("a", backup.Available),
		"reported to the operator":             newHistory().made("a").reported(operators),
		"failed":                               newHistory().event(Requested, "a").event(Errored, "a").record("a", backup.Failed).reported(lineOf(ReportedFailed, "a")),
		"overdue, and made later":              newHistory().event(Requested, "a").reported(lineOf(ReportedFailed, "a")).at(began.Add(9*time.Hour)).event(Available, "a").record("a", backup.Available),
		"failed, and others reset it":          newHistory().event(Requested, "a").event(Errored, "a").event(Available, "a").record("a", backup.Failed).reported(failedAt(2)),
		"failed, since its project was gone":   projectGone(2).reported(failedAt(2)),
		"late, with one that we have not seen": seenAt(lateAfter(newHistory().made("a").reported(late), day), began.Add(3*time.Hour)),
		"failed, at that very moment":          same,
		"refused, and Cinder never named any":  refused,
		"removed":                              newHistory().made("a").at(began.Add(20 * day)).gone("a").reported(lineOf(ReportedRemoved, "a")),
		"late, with a point that is old":       lateAfter(newHistory().made("a").reported(late), 2*time.Hour-time.Second),
		"late, with a point that was lost":     lateAfter(newHistory().made("a").event(Removed, "a").state("a", backup.Lost).reported(late), day),
		"late, with a point in removal":        lateAfter(newHistory().made("a").event(RemovalAsked, "a", theirs).reported(late).at(began.Add(9*time.Hour)).event(Removed, "a").state("a", backup.Lost), day),
		"late, with one still to be made":      lateAfter(newHistory().reported(late).made("a"), day),
		"late, with nobody's but the tenant's": lateAfter(newHistory().event(Requested, "a", theirs).event(Available, "a").reported(late), day),
		"late, and another volume is not":      lateAfter(newHistory().made("a", of("w")).reported(late), day),
	}
}
