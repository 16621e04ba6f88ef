package invariants

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// stuckReason must be shown for a volume with a backup whose removal can't end.
const stuckReason = "deletion_stuck operator"

// judgeShown checks what was shown of a volume against the journal up to then.
func (c *checker) judgeShown(s Shown) {
	if c.Schedule == nil {
		return
	}
	period := c.Schedule.Period
	if c.hindered(func(h Hindrance) bool { return h.Shows && h.within(s.At, 2*period) }) {
		return // the data shown may be older
	}
	violated := func(key string, of Invariant, project, format string, args ...any) {
		c.once(string(of)+s.Volume+key, Violation{Invariant: of, At: s.At, Project: project, Volume: s.Volume, Text: fmt.Sprintf(format, args...)})
	}
	for _, b := range c.volumes[s.Volume] {
		if b.requested.Ours && b.state != Removed && !b.hangs.IsZero() && !slices.ContainsFunc(s.Reasons, func(r string) bool { return strings.Contains(r, stuckReason) }) &&
			c.longestFree(b.hangs, s.At, func(h Hindrance) bool { return h.Removes && h.concerns(s.Volume, b.requested.Project) }) > 2*c.Limits.Expired {
			violated(b.id(), Unexplained, b.requested.Project, "the removal of backup %s can't end since %s, and what is shown is %q", b.id(), b.hangs.Format(time.RFC3339), s.Reasons)
		}
	}
	w, wanted := c.wish(s.Volume, s.At)
	if !wanted {
		return
	}
	newest := c.newest(s.Volume, w.Project)
	begins := newest
	if begins.IsZero() {
		begins = w.Seen
	}
	late := !begins.IsZero() && s.At.Sub(begins) > cmp.Or(s.LateAfter, c.Limits.Late)
	sure := !w.Sure.IsZero() && !w.Sure.After(s.At)
	switch {
	case late && !s.Late && sure && !s.At.Before(c.uncertain[s.Volume]):
		violated("silent"+newest.String(), FalseProtection, w.Project, "it is late since %s, and not shown as late", begins.Add(cmp.Or(s.LateAfter, c.Limits.Late)).Format(time.RFC3339))
	case !late && s.Late && !c.hindered(func(h Hindrance) bool { return h.concerns(s.Volume, w.Project) && !h.Chains && h.within(s.At, period) }):
		violated("alarm"+newest.String(), FalseProtection, w.Project, "it is shown as late, and its newest restore point is of %s", newest.Format(time.RFC3339))
	}
	switch {
	case !late || !sure:
	case len(s.Reasons) == 0:
		violated("none"+newest.String(), Unexplained, w.Project, "it is late, and no reason is shown")
	default:
		c.explained(s, w, violated)
	}
}

// explained checks that a reason of a hindrance that has prevented the late volume's backup for some time is shown.
func (c *checker) explained(s Shown, w Wish, violated func(key string, of Invariant, project, format string, args ...any)) {
	var names, reasons []string
	for _, h := range c.Hindrances {
		if h.Makes && h.concerns(s.Volume, w.Project) && !h.From.After(s.At.Add(-3*c.Schedule.Period)) && (h.To.IsZero() || h.To.After(s.At)) {
			names, reasons = append(names, h.Name), append(reasons, h.Reasons...)
		}
	}
	if len(reasons) == 0 || slices.ContainsFunc(s.Reasons, func(shown string) bool {
		return slices.ContainsFunc(reasons, func(reason string) bool { return strings.Contains(shown, reason) })
	}) {
		return
	}
	violated(fmt.Sprint(names), Unexplained, w.Project, "it is late by %q, and what is shown is %q, none of %q", names, s.Reasons, reasons)
}
