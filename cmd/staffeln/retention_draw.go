package main

import (
	"fmt"
	"slices"
	"strconv"

	"staffeln/backup"
	"staffeln/view"
)

func (v *retentionView) draw(s *sheet) {
	drawHead(s, v.AsOf, "Retention until "+view.Clock(v.Until)+" UTC")
	s.line("Nothing is removed by this command, and no further backup is assumed.")
	for _, o := range v.Shorter {
		s.words("", fmt.Sprintf("%s The retention of %s falls from %s to %s at %s, by metadata.", s.paint(careful, "SHORTER:"), o.All(), o.From, o.To, view.Clock(o.At)))
	}
	s.section(fmt.Sprintf("GOES (%d)", len(v.Going)), fmt.Sprintf("of %s, %d GiB of volumes at most", view.Plural(v.Volumes, "volume", "volumes"), v.TotalGiB))
	v.drawGoing(s)
	s.section(fmt.Sprintf("STAYS (%d)", len(v.Staying)), "although its own retention is over by then")
	v.drawStaying(s)
}

func (v *retentionView) drawGoing(s *sheet) {
	if len(v.Going) == 0 {
		s.line("  None.")
		return
	}
	shown, more := v.shown(v.Going)
	s.table([]column{
		{name: "WHEN"},
		{name: "VOLUME, SERVER, PROJECT", flex: true},
		{name: "KIND"},
		{name: "GIB", right: true},
		{name: "DATA OF"},
		{name: "WHY"},
	}, view.Each(shown, func(g view.Going) []string {
		return []string{s.near(*g.At), g.All(), short(g.Kind), strconv.Itoa(g.SizeGiB), s.near(g.DataAt), whyItGoes(s, g)}
	}), more)
	for _, why := range reasonsOf(shown) {
		s.words("  ", string(why)+": "+why.Sentence())
	}
	if slices.ContainsFunc(shown, func(g view.Going) bool { return g.Last }) {
		s.words("  ", "last: After it the volume has no restore point; the floor holds while it is protected, and for the grace after that.")
	}
}

// whyItGoes says in a word why it goes.
func whyItGoes(s *sheet, g view.Going) string {
	if g.Last {
		return string(g.Reason.Code) + ", " + s.paint(careful, "last")
	}
	return string(g.Reason.Code)
}

// drawStaying tells what stays reason by reason: of each volume it is the same for several.
func (v *retentionView) drawStaying(s *sheet) {
	if len(v.Staying) == 0 {
		s.line("  None.")
		return
	}
	for i, why := range reasonsOf(v.Staying) {
		if i > 0 {
			s.line("")
		}
		s.words("  ", view.ReasonOf(why).Words())
		shown, more := v.shown(slices.DeleteFunc(slices.Clone(v.Staying), func(g view.Going) bool { return g.Reason.Code != why }))
		s.table([]column{
			{name: "OVER"},
			{name: "VOLUME, SERVER, PROJECT", flex: true},
			{name: "KIND"},
			{name: "GIB", right: true},
			{name: "DATA OF"},
		}, view.Each(shown, func(g view.Going) []string {
			return []string{s.near(*g.Expires), g.All(), short(g.Kind), strconv.Itoa(g.SizeGiB), s.near(g.DataAt)}
		}), more)
	}
}

func (v *retentionView) shown(all []view.Going) ([]view.Going, int) {
	if v.limit == 0 {
		return all, 0
	}
	return first(v.limit, all)
}

// reasonsOf lists the reasons of some, each once, in their order.
func reasonsOf(all []view.Going) []backup.Reason {
	var codes []backup.Reason
	for _, g := range all {
		if !slices.Contains(codes, g.Reason.Code) {
			codes = append(codes, g.Reason.Code)
		}
	}
	return codes
}
