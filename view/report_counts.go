package view

import (
	"fmt"
	"strings"

	"staffeln/backup"
	"staffeln/internal/visible"
	"staffeln/view/report"
)

// ReportCounts are the numbers of a report, or of one of its projects.
type ReportCounts struct {
	Succeeded, Failed, Late, Never, Findings, QuotaRed int

	TooLong int // of those that were never backed up
	Removed int // restore points
	Early   int // of those: before their promised end
	Fewer   int // volumes with fewer restore points than promised
}

// Count returns the counts of a project.
func (p ReportProject) Count() ReportCounts {
	c := ReportCounts{Succeeded: len(p.Succeeded), Failed: len(p.Failed), Late: len(p.Late), Never: len(p.Never), TooLong: p.neverTooLong(), Findings: len(p.Findings), Fewer: len(p.Fewer)}
	for _, r := range p.Removed {
		c.Removed += r.Count
		c.Early += r.Early
	}
	if p.Backups != nil && p.Backups.Level == Red || p.Gigabytes != nil && p.Gigabytes.Level == Red {
		c.QuotaRed = 1
	}
	return c
}

// Count returns the counts of all projects.
func (r Report) Count() ReportCounts {
	sum := ReportCounts{Findings: len(r.Findings)}
	for _, p := range r.Projects {
		c := p.Count()
		sum.Succeeded += c.Succeeded
		sum.Failed += c.Failed
		sum.Late += c.Late
		sum.Never += c.Never
		sum.TooLong += c.TooLong
		sum.Findings += c.Findings
		sum.QuotaRed += c.QuotaRed
		sum.Removed += c.Removed
		sum.Early += c.Early
		sum.Fewer += c.Fewer
	}
	return sum
}

// Well reports whether no action is needed.
func (c ReportCounts) Well() bool {
	return c.Failed+c.Late+c.TooLong+c.Findings+c.QuotaRed+c.Early+c.Fewer == 0
}

// Level returns red if protection suffers, yellow if somebody should check.
func (c ReportCounts) Level() Level {
	switch {
	case c.Failed+c.Late+c.TooLong+c.Early+c.Fewer > 0:
		return Red
	case !c.Well():
		return Yellow
	}
	return Green
}

// NeverLevel returns the level of the volumes that were never backed up.
func (c ReportCounts) NeverLevel() Level {
	if c.TooLong > 0 {
		return Red
	}
	return Yellow
}

// RemovedLevel returns the level of the removals.
func (c ReportCounts) RemovedLevel() Level {
	if c.Early > 0 {
		return Red
	}
	return Green
}

// troubles returns the problems with their counts, the worst first.
func (c ReportCounts) troubles() []string {
	var parts []string
	add := func(n int, one, many string) {
		if n > 0 {
			parts = append(parts, Plural(n, one, many))
		}
	}
	add(c.Late, "volume is late", "volumes are late")
	add(c.TooLong, "volume has no restore point", "volumes have no restore point")
	add(c.Fewer, "volume has fewer restore points than promised", "volumes have fewer restore points than promised")
	add(c.Early, "restore point was removed before its promised end", "restore points were removed before their promised end")
	add(c.Failed, "backup failed", "backups failed")
	add(c.QuotaRed, "project is short of quota", "projects are short of quota")
	switch {
	case c.Findings == 1:
		parts = append(parts, "there is 1 finding")
	case c.Findings > 1:
		parts = append(parts, fmt.Sprintf("there are %d findings", c.Findings))
	}
	return parts
}

// Sentence returns the summary at the top of the report: whether all is well.
func (c ReportCounts) Sentence() string {
	made := Plural(c.Succeeded, "backup was made", "backups were made")
	if c.Removed > 0 {
		made += fmt.Sprintf(", %d removed", c.Removed)
	}
	never := ""
	if n := c.Never - c.TooLong; n > 0 {
		never = " " + Plural(n, "volume waits", "volumes wait") + " for a first backup."
	}
	if c.Well() {
		return "All is well: " + made + ", none failed, nothing is late." + never
	}
	return "Not all is well: " + listed(c.troubles()) + "; " + made + "." + never
}

// Subject returns the subject of the mail: one line. The only text that others choose is the project's name, in a safe form.
func (r Report) Subject() string {
	about := "all projects"
	if r.Group != report.All && len(r.Projects) > 0 {
		about = strings.TrimSpace(Short(visible.Text(Or(r.Projects[0].Name, r.Projects[0].ID)), 60))
	}
	c := r.Count()
	if c.Well() {
		return fmt.Sprintf("Backups of %s: all is well, %d made", about, c.Succeeded)
	}
	return fmt.Sprintf("Backups of %s: %s", about, strings.Join(c.troubles(), ", "))
}

// Period returns the time that the report covers.
func (r Report) Period() string { return Clock(r.From) + " to " + Clock(r.At) + " UTC" }

// LateWords returns the age at which a volume is late, without what a backup of it usually takes.
func (r Report) LateWords() string { return backup.Span(Seconds(r.LateAfter)) }

// Owner returns who must take action; empty if nobody must.
func Owner(o backup.Owner) string {
	switch o {
	case backup.Tenant:
		return "The project must take action."
	case backup.Operator:
		return "The operator of the cloud must take action."
	case backup.Nobody:
	}
	return ""
}

// Outlook returns who must take action and what comes after the failure. After a later success nobody must take action.
func (f FailedAttempt) Outlook() string {
	if f.Next == SucceededSince {
		return strings.TrimSpace(f.after() + " " + f.Leftover.Words())
	}
	return strings.TrimSpace(strings.TrimSpace(Owner(f.Reason.MustAct)+" "+f.after()) + " " + f.Leftover.Words())
}

func (f FailedAttempt) after() string {
	at := ""
	if f.AgainAt != nil {
		at = " at " + Clock(*f.AgainAt)
	}
	switch f.Next {
	case SucceededSince:
		return "A later backup succeeded" + at + "."
	case AnotherInProgress:
		return "Another attempt is in progress."
	case Retried:
		return "It is tried again" + at + "."
	case WhilePaused:
		return "It is tried again when the operator ends the pause."
	case NotRetried:
	}
	return "It is not tried again: the volume is no longer selected for backup."
}

// Facts returns how the backup was made, and how long it is kept.
func (s Success) Facts() string {
	words := fmt.Sprintf("Started %s, took %s, ", Clock(s.StartedAt), backup.Span(Seconds(s.Took)))
	switch {
	case s.KeptUntil != nil:
		return words + "kept until " + Clock(*s.KeptUntil) + "."
	case s.Gone == "" && s.Kept != "":
		return words + KeptWords(s.Kept) + ": " + s.Kept.Sentence()
	}
	return words + s.Gone + "."
}

// Facts returns since when it is late.
func (l Late) Facts() string {
	switch {
	case l.NewestAt == nil && l.Since == nil:
		return "No attempt so far."
	case l.NewestAt == nil:
		return "Protected since " + Clock(*l.Since) + "."
	case l.Since == nil:
		return "Newest restore point: " + Clock(*l.NewestAt) + "."
	}
	return "Late since " + Clock(*l.Since) + "; its newest restore point is of " + Clock(*l.NewestAt) + "."
}
