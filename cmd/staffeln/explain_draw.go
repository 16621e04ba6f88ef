package main

import (
	"fmt"
	"strings"

	"staffeln/backup"
)

func (v *explainView) draw(s *sheet) {
	v.asOf.draw(s, "Volume "+v.volume())
	v.drawVolume(s)
	s.section("POLICY", "")
	s.table([]column{{name: "PART"}, {name: "VALUE"}, {name: "COMES FROM", flex: true, wrap: true}},
		each(v.Policy, func(p policyPart) []string { return []string{strings.ReplaceAll(p.Name, "_", " "), p.Value, p.Source} }), 0)
	v.drawChains(s)
	v.drawDecision(s)
	v.drawNext(s)
	v.drawGoing(s)
}

// drawDecision tells the newest decision, and the failure that somebody must act on.
func (v *explainView) drawDecision(s *sheet) {
	s.section("LAST DECISION", "")
	if v.Last == nil {
		s.line("  None yet.")
	} else {
		s.words("  ", fmt.Sprintf("%s, %s: %s. %s", clock(v.Last.At), s.ago(&v.Last.At), decided(v.Last.Action), v.Last.Reason.words()))
	}
	if f := v.Failure; f != nil {
		s.section("LAST FAILURE", "")
		s.words("  ", fmt.Sprintf("%s, %s: %s. %s", clock(f.At), s.ago(&f.At), s.state(f.State), f.Reason.words()))
		if f.Text != "" {
			s.words("  ", "In full: "+f.Text)
		}
		if f.RequestID != "" && !strings.Contains(f.Text, f.RequestID) {
			s.line("  Request: %s", f.RequestID)
		}
	}
}

// decided says an action of the past.
func decided(action string) string {
	switch backup.Action(action) {
	case backup.Create:
		return "a backup was planned"
	case backup.Fail:
		return "it was recorded that none can be made"
	case backup.Withdraw:
		return "the planned backup was withdrawn"
	case backup.Wait:
	}
	return "nothing was planned"
}

// does says an action to come.
func does(action, kind string) string {
	switch backup.Action(action) {
	case backup.Create:
		switch backup.Kind(kind) {
		case backup.Full:
			return "a full backup is planned"
		case backup.Incremental:
			return "an incremental backup is planned"
		}
		return "a backup is planned"
	case backup.Fail:
		return "it is recorded that none can be made"
	case backup.Withdraw:
		return "the planned backup is withdrawn"
	case backup.Wait:
	}
	return "nothing is planned"
}

// drawNext tells what is waited for, and what comes next.
func (v *explainView) drawNext(s *sheet) {
	s.section("WAITED FOR", "")
	if len(v.WaitsFor) == 0 {
		s.line("  Nothing but time, or a change in the cloud.")
	}
	for _, w := range v.WaitsFor {
		s.words("  ", w)
	}
	s.section("NEXT", "as a plan would decide now")
	switch {
	case v.unseen:
		s.words("  ", "The newest plan did not see enough to tell: the last decision stands.")
		return
	case backup.Action(v.Now.Action) == backup.Wait && v.Last != nil && v.Last.Reason.Code == v.Now.Reason.Code:
		s.words("  ", fmt.Sprintf("Now: nothing is planned, for the same reason. (%s)", v.Now.Reason.Code))
	case backup.Action(v.Now.Action) == backup.Wait:
		s.words("  ", "Now: nothing is planned. "+v.Now.Reason.words())
	case v.Now.At != nil && v.Now.At.After(s.now):
		s.words("  ", fmt.Sprintf("%s, %s: %s. %s", clock(*v.Now.At), s.ago(v.Now.At), does(v.Now.Action, v.Now.Kind), v.Now.Reason.words()))
	default:
		s.words("  ", fmt.Sprintf("At the leader's next plan, due since %s: %s. %s", maybeClock(v.Now.At), does(v.Now.Action, v.Now.Kind), v.Now.Reason.words()))
	}
	if a := v.Ahead; a != nil {
		what := does(a.Action, a.Kind) + ". " + a.Reason.words()
		switch {
		case a.EndsWell:
			what = "if the one in progress ends well, " + what
		case backup.Action(a.Action) == backup.Fail:
			what = fmt.Sprintf("if its status is still %q, it is recorded again that none can be made. (%s)", v.Status, a.Reason.Code)
		}
		s.words("  ", fmt.Sprintf("%s, %s: %s", clock(a.At), s.ago(&a.At), what))
	}
}
