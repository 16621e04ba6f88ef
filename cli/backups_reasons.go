package cli

import (
	"fmt"
	"strings"

	"staffeln/backup"
	"staffeln/view"
)

// renderReasons explains each reason in the table: for which volumes, and the complete error of the newest backup.
func (p backupsPage) renderReasons(w *renderer) {
	var codes []backup.Reason
	by := map[backup.Reason][]view.BackupSummary{}
	for _, b := range p.Backups {
		code := b.Reason.Code
		if code == "" {
			continue
		}
		if by[code] == nil {
			codes = append(codes, code)
		}
		by[code] = append(by[code], b)
	}
	if len(codes) > 0 {
		w.section("REASONS", "")
	}
	for _, code := range codes {
		all := by[code]
		w.paragraph("  ", all[0].Reason.Words())
		shown, more := first(summaryRows, newestOf(all))
		words := strings.Join(view.Each(shown, func(n newest) string {
			words := fmt.Sprintf("%s at %s (%s)", n.Volume(), w.shortTime(n.At), n.State)
			if n.before > 0 {
				words += fmt.Sprintf(" and %d before it", n.before)
			}
			return words
		}), ", ")
		if more > 0 {
			words += fmt.Sprintf(", and %s more", view.Plural(more, "volume", "volumes"))
		}
		w.paragraph("    ", words+".")
		if full := inFull(all[0]); full != "" {
			w.paragraph("    ", full)
		}
	}
}

// inFull returns Cinder's words, the ID of its request, and what became of the leftover.
func inFull(b view.BackupSummary) string {
	var parts []string
	if b.Text != "" {
		parts = append(parts, "The newest in full: "+strings.TrimSuffix(b.Text, ".")+".")
	}
	if b.RequestID != "" && !strings.Contains(b.Text, b.RequestID) {
		parts = append(parts, "Request: "+b.RequestID+".")
	}
	if b.Leftover != nil {
		parts = append(parts, map[bool]string{true: "The newest: "}[len(parts) == 0]+b.Leftover.Words())
	}
	return strings.Join(parts, " ")
}

// newest is the newest of a volume's backups with one reason, and how many there are before it.
type newest struct {
	view.BackupSummary

	before int
}

func newestOf(all []view.BackupSummary) []newest {
	var some []newest
	at := map[string]int{}
	for _, b := range all {
		i, known := at[b.VolumeID]
		if known {
			some[i].before++
			continue
		}
		at[b.VolumeID] = len(some)
		some = append(some, newest{BackupSummary: b})
	}
	return some
}
