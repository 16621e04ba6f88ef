package cli

import (
	"fmt"
	"strconv"
	"strings"

	"staffeln/backup"
	"staffeln/view"
)

// summaryRows is the number of rows of each table in a summary.
const summaryRows = 10

func (p statusPage) render(w *renderer) {
	renderHead(w, p.AsOf, "Staffeln")
	for _, pause := range p.Pauses {
		w.paragraph("", w.colour(warning, "PAUSE:")+" "+onOwnLine(pause.Words))
	}
	p.renderVolumes(w)
	p.renderOutcomes(w)
	p.renderInProgress(w)
	p.renderBacklog(w)
	p.renderProblems(w)
	p.renderLeader(w)
	p.renderProcesses(w)
}

func (p statusPage) renderVolumes(w *renderer) {
	if note := p.NoPlanYet(); note != "" {
		w.section("VOLUMES", "")
		w.paragraph("  ", note)
		return
	}
	w.section("VOLUMES", "late = newest backup older than "+backup.Span(view.Seconds(p.LateAfter))+" + usual duration")
	var columns []column
	var counts []string
	for _, one := range backup.Protections {
		name, count := strings.ToUpper(string(one)), strconv.Itoa(p.Volumes.Of(one))
		switch {
		case one == backup.Protected:
			count = w.colour(good, count)
		case one == backup.Late && p.Volumes.Late > 0:
			count = w.colour(bad, count)
		case one == backup.Waiting:
			name += " FOR THE FIRST"
		}
		columns, counts = append(columns, column{name: name, right: true}), append(counts, count)
	}
	w.table(columns, [][]string{counts}, 0)
	if len(p.Listed) == 0 {
		return
	}
	w.line("")
	shown, more := p.Listed, 0
	if len(p.Listed) == p.Volumes.Late { // otherwise all are wanted
		shown, more = first(summaryRows, p.Listed)
	}
	w.table([]column{
		{name: "PROTECTION"},
		{name: "VOLUME, SERVER, PROJECT", flex: true},
		{name: "NEWEST RESTORE POINT"},
	},
		view.Each(shown, func(o view.ListedVolume) []string {
			point := "none"
			if o.RestorePoint != nil {
				point = fmt.Sprintf("%s, %s", view.Clock(*o.RestorePoint), w.ago(o.RestorePoint))
			} else if o.LateSince != nil {
				point = "none; late since " + view.Clock(*o.LateSince)
			}
			protection := string(o.Protection)
			if o.Protection == backup.Late {
				protection = w.colour(bad, protection)
			}
			return []string{protection, o.All(), point}
		}), more)
}

func (p statusPage) renderInProgress(w *renderer) {
	for _, part := range []struct {
		name string
		rows []view.InProgress
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
			view.Each(shown, func(b view.InProgress) []string {
				age := "-"
				if b.Since != nil {
					age = backup.Span(w.now.Sub(*b.Since))
				}
				return []string{b.All(), short(b.Kind), strconv.Itoa(b.SizeGiB), w.state(b.State), age, w.ago(b.Deadline)}
			}), more)
	}
}

// short returns a kind in four characters.
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
	w.section(fmt.Sprintf("BACKLOG (%d)", total), "planned, and not started yet")
	shown, more := first(summaryRows, p.Backlog)
	w.table([]column{
		{name: "PROJECT", flex: true},
		{name: "PLANNED", right: true},
		{name: "SINCE"},
		{name: "WAITS FOR"},
		{name: "OLDEST RESTORE POINT"},
	},
		view.Each(shown, func(b view.Backlog) []string {
			point := "none yet"
			if b.OldestPoint != nil {
				point = w.ago(b.OldestPoint)
			}
			return []string{view.Or(b.ProjectName, b.ProjectID), strconv.Itoa(b.Planned), backup.Span(w.now.Sub(b.Since)), codes(b.WaitsFor), point}
		}), more)
}
