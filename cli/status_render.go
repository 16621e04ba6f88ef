package cli

import (
	"fmt"
	"strconv"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/show"
)

// summaryRows is the number of rows of each table in a summary.
const summaryRows = 10

func (p statusPage) render(w *renderer) {
	renderHead(w, p.AsOf, "Staffeln")
	for _, pause := range p.Pauses {
		w.paragraph("", w.colour(warning, "PAUSE:")+" "+onOwnLine(pause.Words))
	}
	p.renderVolumes(w)
	p.renderInProgress(w)
	p.renderBacklog(w)
	p.renderProblems(w)
	p.renderLeader(w)
}

func (p statusPage) renderVolumes(w *renderer) {
	w.section("VOLUMES", "late: no restore point younger than "+backup.Span(show.Seconds(p.LateAfter)))
	n := p.Volumes
	late := strconv.Itoa(n.Late)
	if n.Late > 0 {
		late = w.colour(bad, late)
	}
	w.table([]column{
		{name: "PROTECTED", right: true},
		{name: "LATE", right: true},
		{name: "WAITING FOR THE FIRST", right: true},
		{name: "UNPROTECTED", right: true},
		{name: "UNKNOWN", right: true},
		{name: "GONE", right: true},
	},
		[][]string{{w.colour(good, strconv.Itoa(n.Protected)), late, strconv.Itoa(n.Waiting), strconv.Itoa(n.Unprotected), strconv.Itoa(n.Unknown), strconv.Itoa(n.Gone)}}, 0)
	if len(p.Listed) == 0 {
		return
	}
	w.line("")
	shown, more := p.Listed, 0
	if len(p.Listed) == n.Late { // otherwise all are wanted
		shown, more = first(summaryRows, p.Listed)
	}
	w.table([]column{
		{name: "PROTECTION"},
		{name: "VOLUME, SERVER, PROJECT", flex: true},
		{name: "NEWEST RESTORE POINT"},
	},
		show.Each(shown, func(o show.Standing) []string {
			point := "none"
			if o.RestorePoint != nil {
				point = fmt.Sprintf("%s, %s", show.Clock(*o.RestorePoint), w.ago(o.RestorePoint))
			} else if o.LateSince != nil {
				point = "none; late since " + show.Clock(*o.LateSince)
			}
			protection := o.Standing
			if protection == db.Late {
				protection = w.colour(bad, protection)
			}
			return []string{protection, o.All(), point}
		}), more)
}

func (p statusPage) renderInProgress(w *renderer) {
	for _, part := range []struct {
		name string
		rows []show.Busy
	}{{"IN PROGRESS", p.InProgress}, {"BEING REMOVED", p.Removals}} {
		if len(part.rows) == 0 {
			continue
		}
		w.section(fmt.Sprintf("%s (%d)", part.name, len(part.rows)), "")
		shown, more := first(summaryRows, part.rows)
		w.table([]column{
			{name: "VOLUME, SERVER, PROJECT", flex: true},
			{name: "KIND"},
			{name: "GIB", right: true},
			{name: "STATE"},
			{name: "FOR"},
			{name: "DEADLINE"},
		},
			show.Each(shown, func(b show.Busy) []string {
				age := "-"
				if b.Since != nil {
					age = backup.Span(w.now.Sub(*b.Since))
				}
				return []string{b.All(), short(b.Kind), strconv.Itoa(b.SizeGiB), w.state(b.State), age, w.ago(b.Deadline)}
			}), more)
	}
}

// short returns a kind in four letters.
func short(kind string) string {
	if backup.Kind(kind) == backup.Incremental {
		return "incr"
	}
	return kind
}

// state colours the states that need attention.
func (w *renderer) state(state string) string {
	switch backup.State(state) {
	case backup.Overdue, backup.Failed, backup.Lost, backup.Undeletable:
		return w.colour(bad, state)
	case backup.Available:
		return w.colour(good, state)
	case backup.Planned, backup.Creating, backup.Deleting, backup.Deleted, backup.Withdrawn:
	}
	return state
}

func (p statusPage) renderBacklog(w *renderer) {
	if len(p.Backlog) == 0 {
		return
	}
	total := 0
	for _, b := range p.Backlog {
		total += b.Planned
	}
	w.section(fmt.Sprintf("BACKLOG (%d)", total), "planned, waiting under the caps")
	shown, more := first(summaryRows, p.Backlog)
	w.table([]column{
		{name: "PROJECT", flex: true},
		{name: "PLANNED", right: true},
		{name: "SINCE"},
		{name: "OLDEST RESTORE POINT"},
	},
		show.Each(shown, func(b show.Backlog) []string {
			point := "none yet"
			if b.OldestPoint != nil {
				point = w.ago(b.OldestPoint)
			}
			return []string{show.Or(b.ProjectName, b.ProjectID), strconv.Itoa(b.Planned), backup.Span(w.now.Sub(b.Since)), point}
		}), more)
}

func (p statusPage) renderLeader(w *renderer) {
	w.section("SCHEDULER", "")
	switch l := p.Leader; {
	case l.Since == nil:
		w.line("  None has led yet.")
	case l.Leads:
		w.line("  %s leads, term %d, since %s.", l.Name, l.Term, show.Clock(*l.Since))
	default:
		w.line("  None leads. The last one was %s, term %d, since %s.", l.Name, l.Term, show.Clock(*l.Since))
	}
	w.table([]column{
		{name: "RUN"},
		{name: "NEWEST"},
		{name: "EVERY"},
		{name: ""},
	}, show.Each(p.Leader.Beats, func(b show.Beat) []string {
		at, late := "never", ""
		if b.At != nil {
			at = w.ago(b.At)
		}
		if b.Late {
			late = w.colour(warning, "LATE")
		}
		return []string{b.Name, at, backup.Span(show.Seconds(b.Period)), late}
	}), 0)
}
