package main

import (
	"fmt"
	"strconv"
	"strings"

	"staffeln/backup"
	"staffeln/view"
)

// glance is how many rows of each table a glance takes in.
const glance = 10

func (v statusView) draw(s *sheet) {
	drawHead(s, v.AsOf, "Staffeln")
	for _, p := range v.Pauses {
		s.words("", s.paint(careful, "PAUSE:")+" "+toCopy(p.Words))
	}
	v.drawVolumes(s)
	v.drawBusy(s)
	v.drawBacklog(s)
	v.drawTrouble(s)
	v.drawLeader(s)
}

func (v statusView) drawVolumes(s *sheet) {
	s.section("VOLUMES", "late: no restore point younger than "+backup.Span(view.Seconds(v.LateAfter)))
	var columns []column
	var counts []string
	for _, p := range backup.Protections {
		name, count := strings.ToUpper(string(p)), strconv.Itoa(v.Volumes.Of(p))
		switch {
		case p == backup.Protected:
			count = s.paint(good, count)
		case p == backup.Late && v.Volumes.Late > 0:
			count = s.paint(bad, count)
		case p == backup.Waiting:
			name += " FOR THE FIRST"
		}
		columns, counts = append(columns, column{name: name, right: true}), append(counts, count)
	}
	s.table(columns, [][]string{counts}, 0)
	if len(v.Listed) == 0 {
		return
	}
	s.line("")
	shown, more := v.Listed, 0
	if len(v.Listed) == v.Volumes.Late { // else all were asked for
		shown, more = first(glance, v.Listed)
	}
	s.table([]column{
		{name: "HOW"},
		{name: "VOLUME, SERVER, PROJECT", flex: true},
		{name: "NEWEST RESTORE POINT"},
	},
		view.Each(shown, func(o view.ListedVolume) []string {
			point := "none"
			if o.RestorePoint != nil {
				point = fmt.Sprintf("%s, %s", view.Clock(*o.RestorePoint), s.ago(o.RestorePoint))
			} else if o.LateSince != nil {
				point = "none; late since " + view.Clock(*o.LateSince)
			}
			how := string(o.Protection)
			if o.Protection == backup.Late {
				how = s.paint(bad, how)
			}
			return []string{how, o.All(), point}
		}), more)
}

func (v statusView) drawBusy(s *sheet) {
	for _, part := range []struct {
		name, note string
		busy       []view.Busy
	}{{"IN PROGRESS", "", v.InProgress}, {"BEING REMOVED", "", v.Removals}} {
		if len(part.busy) == 0 {
			continue
		}
		s.section(fmt.Sprintf("%s (%d)", part.name, len(part.busy)), part.note)
		shown, more := first(glance, part.busy)
		s.table([]column{
			{name: "VOLUME, SERVER, PROJECT", flex: true},
			{name: "KIND"},
			{name: "GIB", right: true},
			{name: "STATE"},
			{name: "FOR"},
			{name: "DEADLINE"},
		},
			view.Each(shown, func(b view.Busy) []string {
				age := "-"
				if b.Since != nil {
					age = backup.Span(s.now.Sub(*b.Since))
				}
				return []string{b.All(), short(b.Kind), strconv.Itoa(b.SizeGiB), s.state(b.State), age, s.ago(b.Deadline)}
			}), more)
	}
}

// short writes a kind in four letters.
func short(kind string) string {
	if backup.Kind(kind) == backup.Incremental {
		return "incr"
	}
	return kind
}

// state paints the states that somebody should look at.
func (s *sheet) state(state string) string {
	switch backup.State(state) {
	case backup.Overdue, backup.Failed, backup.Lost, backup.Undeletable:
		return s.paint(bad, state)
	case backup.Available:
		return s.paint(good, state)
	case backup.Planned, backup.Creating, backup.Deleting, backup.Deleted, backup.Withdrawn:
	}
	return state
}

func (v statusView) drawBacklog(s *sheet) {
	if len(v.Backlog) == 0 {
		return
	}
	total := 0
	for _, b := range v.Backlog {
		total += b.Planned
	}
	s.section(fmt.Sprintf("BACKLOG (%d)", total), "planned, waiting for a place under the caps")
	shown, more := first(glance, v.Backlog)
	s.table([]column{
		{name: "PROJECT", flex: true},
		{name: "PLANNED", right: true},
		{name: "SINCE"},
		{name: "OLDEST RESTORE POINT"},
	},
		view.Each(shown, func(b view.Backlog) []string {
			point := "none yet"
			if b.OldestPoint != nil {
				point = s.ago(b.OldestPoint)
			}
			return []string{view.Or(b.ProjectName, b.ProjectID), strconv.Itoa(b.Planned), backup.Span(s.now.Sub(b.Since)), point}
		}), more)
}

func (v statusView) drawLeader(s *sheet) {
	s.section("SCHEDULER", "")
	switch l := v.Leader; {
	case l.Since == nil:
		s.line("  None ever led.")
	case l.Leads:
		s.line("  %s leads, term %d, since %s.", l.Name, l.Term, view.Clock(*l.Since))
	default:
		s.line("  None leads. The last one was %s, term %d, since %s.", l.Name, l.Term, view.Clock(*l.Since))
	}
	s.table([]column{
		{name: "BEAT"},
		{name: "NEWEST"},
		{name: "EVERY"},
		{name: ""},
	}, view.Each(v.Leader.Beats, func(b view.Beat) []string {
		at, late := "never", ""
		if b.At != nil {
			at = s.ago(b.At)
		}
		if b.Late {
			late = s.paint(careful, "LATE")
		}
		return []string{b.Name, at, backup.Span(view.Seconds(b.Period)), late}
	}), 0)
}
