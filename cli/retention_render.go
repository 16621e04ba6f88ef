package cli

import (
	"fmt"
	"slices"
	"strconv"

	"staffeln/backup"
	"staffeln/view"
)

func (p *retentionPage) render(w *renderer) {
	renderHead(w, p.AsOf, "Retention until "+view.Clock(p.Until)+" UTC")
	w.line("This command removes nothing, and the forecast assumes no further backup.")
	for _, o := range p.Shorter {
		w.paragraph("", fmt.Sprintf("%s The retention of %s becomes %[4]s instead of %[3]s at %[5]s, by metadata.", w.colour(warning, "SHORTER:"), o.All(), o.From, o.To, view.Clock(o.At)))
	}
	w.section(fmt.Sprintf("EXPIRES (%d)", len(p.Expiring)), fmt.Sprintf("of %s, %d GiB of volumes at most", view.Plural(p.Volumes, "volume", "volumes"), p.TotalGiB))
	p.renderExpiring(w)
	w.section(fmt.Sprintf("KEPT (%d)", len(p.Retained)), "although their own retention is over by then")
	p.renderKept(w)
}

func (p *retentionPage) renderExpiring(w *renderer) {
	if len(p.Expiring) == 0 {
		w.line("  None.")
		return
	}
	shown, more := p.shown(p.Expiring)
	w.table([]column{
		{name: "WHEN"},
		{name: "VOLUME, SERVER, PROJECT", flex: true},
		{name: "KIND"},
		{name: "GIB", right: true},
		{name: "DATA OF"},
		{name: "WHY"},
	}, view.Each(shown, func(g view.Expiring) []string {
		return []string{w.shortTime(*g.At), g.All(), short(g.Kind), strconv.Itoa(g.SizeGiB), w.shortTime(g.DataAt), expiryReason(w, g)}
	}), more)
	for _, why := range reasonsOf(shown) {
		w.paragraph("  ", string(why)+": "+why.Sentence())
	}
	if slices.ContainsFunc(shown, func(g view.Expiring) bool { return g.Last }) {
		w.paragraph("  ", "last: The volume has no restore point afterwards; the floor applies while it is protected, and for the grace after that.")
	}
}

// expiryReason returns the reason in one word.
func expiryReason(w *renderer, g view.Expiring) string {
	why := string(g.Reason.Code)
	if g.Waits != nil {
		why += ", due: " + string(g.Waits.Code)
	}
	if g.Last {
		why += ", " + w.colour(warning, "last")
	}
	return why
}

// renderKept writes what is kept by reason, because several backups of a volume share one.
func (p *retentionPage) renderKept(w *renderer) {
	if len(p.Retained) == 0 {
		w.line("  None.")
		return
	}
	for i, why := range reasonsOf(p.Retained) {
		if i > 0 {
			w.line("")
		}
		w.paragraph("  ", view.ReasonOf(why).Words())
		shown, more := p.shown(slices.DeleteFunc(slices.Clone(p.Retained), func(g view.Expiring) bool { return g.Reason.Code != why }))
		w.table([]column{
			{name: "RETENTION ENDS"},
			{name: "VOLUME, SERVER, PROJECT", flex: true},
			{name: "KIND"},
			{name: "GIB", right: true},
			{name: "DATA OF"},
		}, view.Each(shown, func(g view.Expiring) []string {
			return []string{w.shortTime(*g.Expires), g.All(), short(g.Kind), strconv.Itoa(g.SizeGiB), w.shortTime(g.DataAt)}
		}), more)
	}
}

func (p *retentionPage) shown(all []view.Expiring) ([]view.Expiring, int) {
	if p.limit == 0 {
		return all, 0
	}
	return first(p.limit, all)
}

// reasonsOf returns the reasons, each once, in their order.
func reasonsOf(all []view.Expiring) []backup.Reason {
	var codes []backup.Reason
	for _, g := range all {
		if !slices.Contains(codes, g.Reason.Code) {
			codes = append(codes, g.Reason.Code)
		}
	}
	return codes
}
