package cli

import (
	"fmt"
	"strconv"
	"strings"

	"staffeln/view"
)

// renderOutcomes writes what came of the attempts of the last day and month, and why some failed.
func (p statusPage) renderOutcomes(w *renderer) {
	if p.Month.Attempts()+p.Day.Attempts() == 0 {
		return
	}
	w.section("ATTEMPTS", "")
	row := func(name string, o view.Outcomes) []string {
		rate, failed := "-", strconv.Itoa(o.Failed)
		if o.Percent != nil {
			rate = fmt.Sprintf("%d %%", *o.Percent)
		}
		if o.Failed > 0 {
			failed = w.colour(bad, failed)
		}
		return []string{name, strconv.Itoa(o.Succeeded), failed, rate, failureWords(o.Failures)}
	}
	w.table([]column{{name: "ENDED IN"}, {name: "SUCCEEDED", right: true}, {name: "FAILED", right: true}, {name: "RATE", right: true}, {name: "REASONS", flex: true, wrap: true}},
		[][]string{row("the last 24 hours", p.Day), row("the last 30 days", p.Month)}, 0)
}

// failureWords lists the reasons with their numbers.
func failureWords(failures []view.FailureCount) string {
	if len(failures) == 0 {
		return ""
	}
	return codes(view.Each(failures, func(f view.FailureCount) string { return fmt.Sprintf("%d %s", f.Count, f.Reason.Code) }))
}

// codes lists codes.
func codes[C ~string](all []C) string {
	return strings.Join(view.Each(all, func(c C) string { return string(c) }), ", ")
}
