package cli

import (
	"fmt"

	"staffeln/backup"
	"staffeln/view"
)

func (p statusPage) renderProcesses(w *renderer) {
	if len(p.Processes) == 0 {
		return
	}
	w.section("PROCESSES", "")
	w.table([]column{{name: "KIND"}, {name: "NAME", flex: true}, {name: "VERSION"}, {name: "STARTED"}, {name: "LAST HEARTBEAT"}, {name: ""}},
		view.Each(p.Processes, func(one view.Process) []string {
			dead := ""
			if !one.Alive {
				dead = w.colour(bad, "DEAD")
			}
			return []string{one.Kind, one.Name, one.Version, w.ago(&one.Since), w.ago(&one.SeenAt), dead}
		}), 0)
}

func (p statusPage) renderLeader(w *renderer) {
	w.section("SCHEDULER", "")
	switch l := p.Leader; {
	case l.Since == nil:
		w.line("  No scheduler has been active yet.")
	case l.Leads:
		w.paragraph("  ", fmt.Sprintf("Active scheduler: %s (since %s, term %d).", l.Name, view.Clock(*l.Since), l.Term))
	default:
		w.paragraph("  ", fmt.Sprintf("No scheduler is active. The last one was %s (since %s, term %d).", l.Name, view.Clock(*l.Since), l.Term))
	}
	w.table([]column{
		{name: "RUN"},
		{name: "LAST"},
		{name: "INTERVAL"},
		{name: ""},
	}, view.Each(p.Leader.Runs, func(b view.Run) []string {
		at, late := "never", ""
		if b.At != nil {
			at = w.ago(b.At)
		}
		if b.Late {
			late = w.colour(warning, "LATE")
		}
		return []string{b.Name, at, backup.Span(view.Seconds(b.Period)), late}
	}), 0)
}
