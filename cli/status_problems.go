package cli

import (
	"fmt"

	"staffeln/backup"
	"staffeln/view"
)

// renderProblems writes failures, stuck records and findings: who must take action, and why.
func (p statusPage) renderProblems(w *renderer) {
	w.problems("FAILED", "each volume's newest failure since its last success", "WHEN", view.Each(p.Failures, func(f view.Failure) []string {
		return []string{w.ago(&f.At), w.owner(f.Reason.MustAct), f.All() + "\n" + f.Reason.Sentence}
	}))
	w.problems("STUCK", "overdue, or cannot be removed", "SINCE", view.Each(p.Stuck, func(b view.InProgress) []string {
		return []string{w.ago(b.Since), w.owner(b.Reason.MustAct), b.All() + "\n" + w.state(b.State) + ": " + b.Reason.Sentence}
	}))
	w.problems("FINDINGS", "need attention", "SINCE", view.Each(p.Findings, func(f view.Finding) []string {
		return []string{w.ago(&f.Since), w.owner(f.Reason.MustAct), f.Reason.Sentence + " " + f.Seen()}
	}))
	if len(p.Failures)+len(p.Stuck) > 0 {
		w.line("")
		w.line("`staffeln explain VOLUME` shows Cinder's error and the next attempt.")
	}
}

// problems writes one section. Names are complete, because the person who takes action needs them.
func (w *renderer) problems(name, note, when string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	w.section(fmt.Sprintf("%s (%d)", name, len(rows)), note)
	shown, more := first(summaryRows, rows)
	w.table([]column{{name: when}, {name: "ACTION BY"}, {name: "WHAT", flex: true, wrap: true}}, shown, more)
}

func (w *renderer) owner(o backup.Owner) string {
	switch o {
	case backup.Tenant, backup.Operator:
		return w.colour(warning, string(o))
	case backup.Nobody:
	}
	return string(o)
}
