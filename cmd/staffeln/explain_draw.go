package main

import (
	"fmt"
	"strings"

	"staffeln/backup"
	"staffeln/view"
)

func (v *explainView) draw(s *sheet) {
	drawHead(s, v.AsOf, "Volume "+v.Volume())
	v.drawVolume(s)
	s.section("POLICY", "")
	s.table([]column{{name: "PART"}, {name: "VALUE"}, {name: "COMES FROM", flex: true, wrap: true}},
		view.Each(v.Policy, func(p view.Part) []string { return []string{strings.ReplaceAll(p.Name, "_", " "), p.Value, p.Source} }), 0)
	v.drawChains(s)
	v.drawRestore(s)
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
		s.words("  ", fmt.Sprintf("%s, %s: %s. %s", view.Clock(v.Last.At), s.ago(&v.Last.At), view.Decided(v.Last.Action), v.Last.Reason.Words()))
	}
	if f := v.Failure; f != nil {
		s.section("LAST FAILURE", "")
		s.words("  ", fmt.Sprintf("%s, %s: %s. %s", view.Clock(f.At), s.ago(&f.At), s.state(f.State), f.Reason.Words()))
		if f.Text != "" {
			s.words("  ", "In full: "+f.Text)
		}
		if f.RequestID != "" && !strings.Contains(f.Text, f.RequestID) {
			s.line("  Request: %s", f.RequestID)
		}
	}
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
	case v.Unseen():
		s.words("  ", "The newest plan did not see enough to tell: the last decision stands.")
		return
	case backup.Action(v.Now.Action) == backup.Wait && v.Last != nil && v.Last.Reason.Code == v.Now.Reason.Code:
		s.words("  ", fmt.Sprintf("Now: nothing is planned, for the same reason. (%s)", v.Now.Reason.Code))
	case backup.Action(v.Now.Action) == backup.Wait:
		s.words("  ", "Now: nothing is planned. "+v.Now.Reason.Words())
	case v.Now.At != nil && v.Now.At.After(s.now):
		s.words("  ", fmt.Sprintf("%s, %s: %s. %s", view.Clock(*v.Now.At), s.ago(v.Now.At), view.Does(v.Now.Action, v.Now.Kind), v.Now.Reason.Words()))
	default:
		s.words("  ", fmt.Sprintf("At the leader's next plan, due since %s: %s. %s", view.MaybeClock(v.Now.At), view.Does(v.Now.Action, v.Now.Kind), v.Now.Reason.Words()))
	}
	if a := v.Ahead; a != nil {
		what := view.Does(a.Action, a.Kind) + ". " + a.Reason.Words()
		switch {
		case a.EndsWell:
			what = "if the one in progress ends well, " + what
		case backup.Action(a.Action) == backup.Fail:
			what = fmt.Sprintf("if its status is still %q, it is recorded that none can be made. (%s)", v.Status, a.Reason.Code)
		}
		s.words("  ", fmt.Sprintf("%s, %s: %s", view.Clock(a.At), s.ago(&a.At), what))
	}
}
