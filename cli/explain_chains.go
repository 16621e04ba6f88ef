package cli

import (
	"cmp"
	"strconv"
	"strings"

	"staffeln/view"
)

func (p *explainPage) renderChains(w *renderer) {
	n, note := 0, ""
	for _, c := range p.Chains {
		n += len(c.Links)
		if strings.Contains(c.Drawing, "[") {
			note = "; [ ]: always kept"
		}
	}
	if n == 0 {
		w.section("CHAINS", "")
		w.line("  None: Cinder has no backup of this volume made by Staffeln.")
		return
	}
	w.section("CHAINS", view.Plural(len(p.Chains), "chain", "chains")+" of "+view.Plural(n, "backup", "backups")+note)
	for i, c := range p.Chains {
		if i > 0 {
			w.line("")
		}
		owner := ""
		if c.ProjectID != p.ProjectID {
			owner = "  owned by project " + c.ProjectID
		}
		w.paragraph("  ", w.colour(strong, c.Drawing)+owner)
		w.table([]column{
			{name: "DATA OF"},
			{name: "KIND"},
			{name: "GIB", right: true},
			{name: "STATE"},
			{name: "KEPT UNTIL"},
			{name: "NOW", flex: true, wrap: true},
		}, view.Each(c.Links, func(l view.Link) []string {
			return []string{w.shortTime(l.DataAt), short(l.Kind), strconv.Itoa(l.SizeGiB), w.state(l.State), keptUntil(w, l.KeptUntil, l.Why.Code), l.Why.Sentence}
		}), 0)
	}
}

// renderRestore writes the commands that restore the newest restore point safely, and what differs for the others.
func (p *explainPage) renderRestore(w *renderer) {
	r := p.Restore
	if r == nil {
		return
	}
	w.section("RESTORE", "the newest restore point, data of "+view.Clock(r.DataAt))
	for _, line := range r.Lines() {
		w.line("  %s", line)
	}
	notes := r.Notes()
	if r.ProjectID != p.ProjectID {
		notes = "With an account of project " + r.ProjectID + ", which owns the backup. " + notes
	}
	w.paragraph("  ", notes+" More: docs/restore.md.")
	others := p.Others()
	if len(others) == 0 {
		return
	}
	w.line("")
	w.line("  For another restore point begin with its line instead; the rest is the same.")
	w.table([]column{{name: "DATA OF"}, {name: "FIRST LINE", flex: true, wrap: true}}, view.Each(others, func(l view.Link) []string {
		line := l.Restore.Begin()
		if l.Restore.ProjectID != r.ProjectID {
			line += "  # with an account of project " + l.Restore.ProjectID
		}
		return []string{w.shortTime(l.DataAt), line}
	}), 0)
}

func (p *explainPage) renderExpiry(w *renderer) {
	w.section("EXPIRY", "if no further backup is made; removed by the next retention runs")
	if len(p.Expiring) == 0 {
		w.line("  Nothing.")
		return
	}
	shown, more := first(2*summaryRows, p.Expiring)
	w.table([]column{{name: "WHEN"}, {name: ""}, {name: "KIND"}, {name: "DATA OF"}, {name: "WHY", flex: true, wrap: true}},
		view.Each(shown, func(g view.Expiring) []string {
			why := g.Reason.Sentence
			if g.Waits != nil {
				why += " Waits for: " + g.Waits.Sentence
			}
			if g.Last {
				why += w.colour(warning, " Then no restore point is left.")
			}
			return []string{w.shortTime(*g.At), cmp.Or(map[bool]string{true: "due"}[g.Waits != nil], w.ago(g.At)), short(g.Kind), w.shortTime(g.DataAt), why}
		}), more)
}
