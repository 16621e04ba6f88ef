package main

import (
	"fmt"
	"time"

	"staffeln/backup"
)

// drawTrouble tells what failed, what is stuck and what was found: who must act, and why.
func (v statusView) drawTrouble(s *sheet) {
	s.trouble("FAILED", "each volume's newest failure since its last success", "WHEN", each(v.Failures, func(f failureView) []string {
		return []string{cut(f.all(), 25), s.ago(&f.At), s.owner(f.Reason.MustAct), f.Reason.Sentence}
	}))
	s.trouble("STUCK", "overdue, or can't be removed", "SINCE", each(v.Stuck, func(b busyView) []string {
		return []string{cut(b.all(), 25), s.ago(b.Since), s.owner(b.Reason.MustAct), s.state(b.State) + ": " + b.Reason.Sentence}
	}))
	if len(v.Findings) == 0 {
		return
	}
	s.section(fmt.Sprintf("FINDINGS (%d)", len(v.Findings)), "what somebody should know")
	shown, more := first(glance, v.Findings)
	s.table([]column{{name: "SINCE"}, {name: "MUST ACT"}, {name: "WHAT", flex: true, wrap: true}},
		each(shown, func(f findingView) []string {
			return []string{s.ago(&f.Since), s.owner(f.Reason.MustAct), fmt.Sprintf("%s Seen: %s (%s)", f.Reason.Sentence, f.Detail, f.Object)}
		}), more)
}

func (s *sheet) trouble(name, note, when string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	s.section(fmt.Sprintf("%s (%d)", name, len(rows)), note)
	shown, more := first(glance, rows)
	s.table([]column{
		{name: "VOLUME, SERVER, PROJECT"},
		{name: when},
		{name: "MUST ACT"},
		{name: "WHY", flex: true, wrap: true},
	}, shown, more)
}

func (s *sheet) owner(o backup.Owner) string {
	switch o {
	case backup.Tenant, backup.Operator:
		return s.paint(careful, string(o))
	case backup.Nobody:
	}
	return string(o)
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }
