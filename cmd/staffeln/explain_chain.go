package main

import (
	"cmp"
	"strconv"
	"strings"

	"staffeln/view"
)

func (v *explainView) drawChains(s *sheet) {
	n, note := 0, ""
	for _, c := range v.Chains {
		n += len(c.Links)
		if strings.Contains(c.Drawing, "[") {
			note = "; [ ]: always kept"
		}
	}
	if n == 0 {
		s.section("CHAINS", "")
		s.line("  None: Cinder holds no backup of it that is ours.")
		return
	}
	s.section("CHAINS", view.Plural(len(v.Chains), "chain", "chains")+" of "+view.Plural(n, "backup", "backups")+note)
	for i, c := range v.Chains {
		if i > 0 {
			s.line("")
		}
		owner := ""
		if c.ProjectID != v.ProjectID {
			owner = "  owned by project " + c.ProjectID
		}
		s.words("  ", s.paint(strong, c.Drawing)+owner)
		s.table([]column{
			{name: "DATA OF"},
			{name: "KIND"},
			{name: "GIB", right: true},
			{name: "STATE"},
			{name: "EXPIRES"},
			{name: "NOW", flex: true, wrap: true},
		}, view.Each(c.Links, func(l view.Link) []string {
			expires, why := "not known", "stays: "
			if l.Expires != nil {
				expires = s.near(*l.Expires)
			}
			if l.Going {
				why = "goes: "
			}
			return []string{s.near(l.DataAt), short(l.Kind), strconv.Itoa(l.SizeGiB), s.state(l.State), expires, why + l.Why.Sentence}
		}), 0)
	}
}

// drawRestore tells how the newest restore point is restored: the safe way, with its backup's ID.
func (v *explainView) drawRestore(s *sheet) {
	r := v.Restore
	if r == nil {
		return
	}
	s.section("RESTORE", "the newest restore point, data of "+view.Clock(r.DataAt))
	for _, line := range r.Lines() {
		s.line("  %s", line)
	}
	notes := r.Notes()
	if r.ProjectID != v.ProjectID {
		notes = "With an account of project " + r.ProjectID + ", which owns the backup. " + notes
	}
	s.words("  ", notes+" Other restore points: --json has their backup_id. More: docs/restore.md.")
}

func (v *explainView) drawGoing(s *sheet) {
	s.section("WHAT GOES, AND WHEN", "if no further backup is made; by the next passes")
	if len(v.Going) == 0 {
		s.line("  Nothing.")
		return
	}
	shown, more := first(2*glance, v.Going)
	s.table([]column{{name: "WHEN"}, {name: ""}, {name: "KIND"}, {name: "DATA OF"}, {name: "WHY", flex: true, wrap: true}},
		view.Each(shown, func(g view.Going) []string {
			why := g.Reason.Sentence
			if g.Last {
				why += s.paint(careful, " Then no restore point is left.")
			}
			return []string{s.near(*g.At), cmp.Or(map[bool]string{true: "now"}[!g.At.After(s.now)], s.ago(g.At)), short(g.Kind), s.near(g.DataAt), why}
		}), more)
}
