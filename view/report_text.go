package view

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"staffeln/internal/visible"
)

// textWidth is the maximum length of a line of the plain text.
const textWidth = 76

// Text returns the report as plain text.
func (r Report) Text() string {
	var t text
	t.line("%s", "Backups, "+r.Period())
	t.line("")
	t.words("", r.Count().Sentence())
	for _, p := range r.Projects {
		t.project(p)
	}
	t.findings("Findings about no single project", r.Findings)
	t.restore(r.Restore)
	t.line("")
	t.words("", fmt.Sprintf("A volume is late when the data of its newest restore point is older than %s plus what a backup of it usually takes. All times are UTC.", r.LateWords()))
	if r.ID != "" {
		t.words("", "Report "+r.ID+".")
	}
	return t.String()
}

type text struct{ strings.Builder }

func (t *text) line(format string, args ...any) { _, _ = fmt.Fprintf(t, format+"\n", args...) } // a strings.Builder returns no errors

// words writes a paragraph, wrapped and indented.
func (t *text) words(indent, words string) { t.hangingIndent(indent, indent, words) }

// item begins an entry of a list.
func (t *text) item(words string) { t.hangingIndent("- ", "  ", words) }

// hangingIndent writes a paragraph with a hanging indent: its first line begins differently from the others.
func (t *text) hangingIndent(begins, indent, words string) {
	line := ""
	flush := func() {
		if line != "" {
			t.line("%s%s", begins, line)
			begins = indent
		}
		line = ""
	}
	for word := range strings.FieldsSeq(visible.Text(words)) {
		if line != "" && utf8.RuneCountInString(indent+line)+1+utf8.RuneCountInString(word) > textWidth {
			flush()
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	flush()
}

func (t *text) project(p ReportProject) {
	title := "Project " + visible.Text(Or(p.Name, p.ID))
	t.line("")
	t.line("")
	t.words("", title)
	t.line("%s", strings.Repeat("=", min(utf8.RuneCountInString(title), textWidth)))
	t.words("", fmt.Sprintf("%s (ID %s, %s)", p.Count().Sentence(), p.ID, Plural(p.Protected, "protected volume", "protected volumes")))
	t.line("")
	t.quota("Backups", "", p.Backups, p.QuotaFault)
	t.quota("Gigabytes of backups", " GB", p.Gigabytes, p.QuotaFault)
	t.section("Failed", len(p.Failed))
	for _, f := range p.Failed {
		t.item(fmt.Sprintf("%s, at %s", f.named(), Clock(f.At)))
		t.words("  ", f.Reason.Sentence+" ("+string(f.Reason.Code)+") "+f.Outlook())
		if f.Text != "" {
			t.words("  ", "In full: "+f.Text)
		}
		t.words("  ", f.ids(f.BackupID, f.RequestID))
	}
	t.lates("Late", p.Late)
	t.lates("Never backed up", p.Never)
	t.findings("Findings", p.Findings)
	t.section("Fewer restore points than promised", len(p.Fewer))
	for _, f := range p.Fewer {
		t.item(f.named())
		t.words("  ", f.Facts())
		t.words("  ", f.ids("", ""))
	}
	t.section("Removed", p.Count().Removed)
	for _, r := range p.Removed {
		t.item(r.named())
		t.words("  ", r.Facts())
		t.words("  ", r.ids("", ""))
	}
	t.section("Succeeded", len(p.Succeeded))
	for _, s := range p.Succeeded {
		t.item(fmt.Sprintf("%s: %s, %d GiB", s.named(), s.Kind, s.SizeGiB))
		t.words("  ", s.Facts())
		t.words("  ", s.ids(s.BackupID, ""))
	}
}

// restore writes the commands that restore a backup.
func (t *text) restore(commands []string) {
	if len(commands) == 0 {
		return
	}
	t.line("")
	t.line("Restore")
	t.words("", restoreIntro+" "+RestoreNotes)
	for _, line := range CommandLines(commands) {
		t.line("  %s", line)
	}
}

func (t *text) quota(name, unit string, q *Quota, fault string) {
	if q == nil {
		t.words("", "Quota of "+strings.ToLower(name)+": not known. "+fault)
		return
	}
	t.words("", fmt.Sprintf("%s: %s: %s [%s]", name, q.Figures(unit), q.Words, q.Level))
}

func (t *text) section(name string, n int) {
	if n > 0 {
		t.line("")
		t.line("%s (%d)", name, n)
	}
}

func (t *text) lates(name string, all []Late) {
	t.section(name, len(all))
	for _, l := range all {
		t.item(l.named())
		t.words("  ", l.Facts()+" "+l.Reason.Sentence)
		t.words("  ", l.ids("", ""))
	}
}

func (t *text) findings(name string, all []Finding) {
	t.section(name, len(all))
	for _, f := range all {
		t.item(fmt.Sprintf("%s (%s) %s Since %s.", f.Reason.Sentence, f.Reason.Code, Owner(f.Reason.MustAct), Clock(f.Since)))
		t.words("  ", f.Brief())
	}
}

// named returns the names of volume and server.
func (o VolumeNames) named() string {
	words := Or(o.VolumeName, o.VolumeID)
	if o.ServerID != "" {
		words += " on " + Or(o.ServerName, o.ServerID)
	}
	return words
}

// ids returns the IDs of Cinder and Nova.
func (o VolumeNames) ids(backupID, requestID string) string {
	words := []string{"volume " + o.VolumeID}
	for _, part := range [][2]string{{"server", o.ServerID}, {"backup", backupID}, {"request", requestID}} {
		if part[1] != "" {
			words = append(words, part[0]+" "+part[1])
		}
	}
	return strings.Join(words, ", ")
}
