package cli

import (
	"fmt"
	"strings"

	"staffeln/backup"
	"staffeln/view"
)

func (p *explainPage) render(w *renderer) {
	renderHead(w, p.AsOf, "Volume "+p.Volume())
	p.renderVolume(w)
	w.section("POLICY", "")
	w.table([]column{{name: "PART"}, {name: "VALUE"}, {name: "COMES FROM", flex: true, wrap: true}},
		view.Each(p.Policy, func(part view.Part) []string {
			return []string{strings.ReplaceAll(part.Name, "_", " "), part.Value, part.Source}
		}), 0)
	p.renderChains(w)
	p.renderRestore(w)
	p.renderDecision(w)
	p.renderNext(w)
	p.renderExpiry(w)
}

// renderDecision writes the newest decision, and the failure that somebody must fix.
func (p *explainPage) renderDecision(w *renderer) {
	w.section("LAST DECISION", "")
	if p.Last == nil {
		w.line("  None yet.")
	} else {
		w.paragraph("  ", fmt.Sprintf("%s, %s: %s. %s", view.Clock(p.Last.At), w.ago(&p.Last.At), view.Decided(p.Last.Action), p.Last.Reason.Words()))
	}
	if f := p.Failure; f != nil {
		w.section("LAST FAILURE", "")
		w.paragraph("  ", strings.TrimSpace(fmt.Sprintf("%s, %s: %s. %s %s", view.Clock(f.At), w.ago(&f.At), w.state(f.State), f.Reason.Words(), f.Leftover.Words())))
		if f.Text != "" {
			w.paragraph("  ", "In full: "+f.Text)
		}
		if f.RequestID != "" && !strings.Contains(f.Text, f.RequestID) {
			w.line("  Request: %s", f.RequestID)
		}
	}
}

// renderNext writes what the volume waits for, and what comes next.
func (p *explainPage) renderNext(w *renderer) {
	w.section("WAITS FOR", "")
	if len(p.WaitsFor) == 0 {
		w.line("  Nothing.%s", p.nextDue())
	}
	for _, what := range p.WaitsFor {
		w.paragraph("  ", what.Words)
	}
	w.section("NEXT", "as a plan would decide now")
	switch {
	case p.Unseen():
		w.paragraph("  ", "Staffeln could not read the cloud completely: the last decision remains.")
		return
	case backup.Action(p.Now.Action) == backup.Wait && p.Last != nil && p.Last.Reason.Code == p.Now.Reason.Code:
		w.paragraph("  ", fmt.Sprintf("Now: nothing is planned, for the same reason. (%s)", p.Now.Reason.Code))
	case backup.Action(p.Now.Action) == backup.Wait:
		w.paragraph("  ", "Now: nothing is planned. "+p.Now.Reason.Words())
	case p.Now.At != nil && p.Now.At.After(w.now):
		w.paragraph("  ", fmt.Sprintf("%s, %s: %s. %s", view.Clock(*p.Now.At), w.ago(p.Now.At), view.Does(p.Now.Action, p.Now.Kind), p.Now.Reason.Words()))
	default:
		w.paragraph("  ", fmt.Sprintf("At the leader's next plan, due since %s: %s. %s", view.MaybeClock(p.Now.At), view.Does(p.Now.Action, p.Now.Kind), p.Now.Reason.Words()))
	}
	if a := p.Ahead; a != nil {
		what := view.Does(a.Action, a.Kind) + ". " + a.Reason.Words()
		switch {
		case a.EndsWell:
			what = "if the one in progress succeeds, " + what
		case backup.Action(a.Action) == backup.Fail:
			what = fmt.Sprintf("if its status is still %q, a failure is recorded. (%s)", p.Status, a.Reason.Code)
		}
		w.paragraph("  ", fmt.Sprintf("%s, %s: %s", view.Clock(a.At), w.ago(&a.At), what))
	}
}

// nextDue returns a sentence with the time when time alone makes the next backup due.
func (p *explainPage) nextDue() string {
	if p.Ahead == nil || p.Ahead.Action != string(backup.Create) {
		return ""
	}
	return fmt.Sprintf(" The next backup is due at %s.", view.Clock(p.Ahead.At))
}
