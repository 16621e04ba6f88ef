package main

import (
	"fmt"

	"staffeln/backup"
	"staffeln/view"
)

// drawTrouble tells what failed, what is stuck and what was found: who must act, and why.
func (v statusView) drawTrouble(s *sheet) {
	s.trouble("FAILED", "each volume's newest failure since its last success", "WHEN", view.Each(v.Failures, func(f view.Failure) []string {
		return []string{s.ago(&f.At), s.owner(f.Reason.MustAct), f.All() + "\n" + f.Reason.Sentence}
	}))
	s.trouble("STUCK", "overdue, or can't be removed", "SINCE", view.Each(v.Stuck, func(b view.Busy) []string {
		return []string{s.ago(b.Since), s.owner(b.Reason.MustAct), b.All() + "\n" + s.state(b.State) + ": " + b.Reason.Sentence}
	}))
	s.trouble("FINDINGS", "what somebody should know", "SINCE", view.Each(v.Findings, func(f view.Finding) []string {
		return []string{s.ago(&f.Since), s.owner(f.Reason.MustAct), fmt.Sprintf("%s Seen: %s (%s)", f.Reason.Sentence, f.Detail, f.Object)}
	}))
	if len(v.Failures)+len(v.Stuck) > 0 {
		s.line("")
		s.line("`staffeln explain VOLUME` shows Cinder's words and the next attempt.")
	}
}

// trouble writes one part. The names are whole, for whoever acts needs them.
func (s *sheet) trouble(name, note, when string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	s.section(fmt.Sprintf("%s (%d)", name, len(rows)), note)
	shown, more := first(glance, rows)
	s.table([]column{{name: when}, {name: "MUST ACT"}, {name: "WHAT", flex: true, wrap: true}}, shown, more)
}

func (s *sheet) owner(o backup.Owner) string {
	switch o {
	case backup.Tenant, backup.Operator:
		return s.paint(careful, string(o))
	case backup.Nobody:
	}
	return string(o)
}
