package report

import (
	"fmt"
	"slices"

	"staffeln/backup"
	"staffeln/internal/visible"
)

// Means returns the consequences of the condition.
func (n Notice) Means() string {
	first := n.first()
	switch {
	case first == nil && n.Kind == backup.ProtectionEnded && n.points() > 0:
		return "They are protected again by now."
	case n.Kind == backup.ProtectionEnded && first == nil:
		return "No new backups are made, and no restore points are left."
	case n.Kind == backup.ProtectionEnded:
		return fmt.Sprintf("No new backups are made. %s left, and removed when the retention is over, the newest not before the operator's grace ends. The first volume without any restore point: %s UTC.",
			plural(n.points(), "restore point is", "restore points are"), moment(*first))
	case first == nil:
		return "It no longer waits: it was taken back, or it is in force by now."
	}
	return fmt.Sprintf("The retention before stays in force until %s UTC at least. Then restore points past the shorter one are removed: %d of the %d of now.",
		moment(*first), n.expiring(), n.points())
}

// Advice returns what to do about it, one step each.
func (n Notice) Advice() []string {
	advice := []string{"If this was intended, nothing is to be done."}
	if n.Kind == backup.RetentionShortened {
		advice = append(advice, fmt.Sprintf("If not, set the server's metadata %s back before that time: what is removed can't be brought back.", n.RetentionKey))
	} else {
		reasons := map[backup.Reason]bool{}
		for _, p := range n.Projects {
			for _, v := range p.Volumes {
				reasons[v.Reason] = true
			}
		}
		for _, r := range backup.EndReasons() {
			if step := n.after(r); reasons[r] && !slices.Contains(advice, step) {
				advice = append(advice, step)
			}
		}
	}
	return append(advice, "If nobody of the project did it, somebody else may have access to it: change passwords and application credentials, and tell the operator of the cloud at once.")
}

// after returns what restores the protection.
func (n Notice) after(r backup.Reason) string {
	asks := "a server that asks for backups"
	if n.BackupKey != "" {
		asks = fmt.Sprintf("a server with the metadata %s=true", n.BackupKey)
	}
	if r == backup.EndMetadata {
		return fmt.Sprintf("Where the server's metadata was changed, set %s=true again: backups go on, and the newest restore points are kept.", n.BackupKey)
	}
	if r == backup.EndVolumeDeleted {
		return "Where a volume was deleted, restore what is needed into a new volume before its last restore point goes."
	}
	if r == backup.EndTransferred {
		return "Where a volume was transferred to another project, its restore points of before stay this project's: restore what is needed into a new volume before the last one goes."
	}
	return "Where a volume was detached or its server deleted, attach the volume to " + asks + "."
}

// Facts returns what happened to the volume, since when, and the consequences.
func (v NoticeVolume) Facts(kind backup.Reason) string {
	if kind == backup.RetentionShortened {
		words := fmt.Sprintf("Retention %s instead of %s, seen first at %s.", v.Shorter, v.InForce, moment(v.Since))
		if v.Reverted {
			return words + " It no longer waits."
		}
		if v.RemovalAt != nil {
			words += fmt.Sprintf(" In force from %s at the earliest; then %s.", moment(*v.RemovalAt), plural(v.Expiring, "restore point of "+fmt.Sprint(v.Points)+" goes", "restore points of "+fmt.Sprint(v.Points)+" go"))
		}
		return words
	}
	words := fmt.Sprintf("%s Not protected since %s.", v.Reason.Sentence(), moment(v.Since))
	switch {
	case v.Reverted:
		return words + " It is protected again by now."
	case v.Points == 0 || v.RemovalAt == nil:
		return words + " No restore point is left."
	}
	return words + fmt.Sprintf(" %s left; the last one goes at %s.", plural(v.Points, "restore point is", "restore points are"), moment(*v.RemovalAt))
}

// Named returns the project's name in a safe form.
func (p NoticeProject) Named() string { return visible.Text(or(p.Name, p.ID)) }

// More returns the number of volumes that are not listed.
func (p NoticeProject) More() int { return p.Count - len(p.Volumes) }

// Text returns the notice as plain text.
func (n Notice) Text() string {
	var t text
	t.words("", n.Sentence())
	t.line("")
	t.words("", n.Means())
	for _, p := range n.Projects {
		t.line("")
		t.words("", fmt.Sprintf("Project %s (ID %s): %s", p.Named(), p.ID, plural(p.Count, "volume", "volumes")))
		for _, v := range p.Volumes {
			t.item(v.named())
			t.words("  ", v.Facts(n.Kind))
			t.words("  ", v.ids("", ""))
		}
		if p.More() > 0 {
			t.item("and " + plural(p.More(), "more volume", "more volumes"))
		}
	}
	t.line("")
	t.line("What to do")
	for _, step := range n.Advice() {
		t.item(step)
	}
	t.line("")
	t.words("", "All times are UTC. Sent at "+moment(n.At)+". Notice "+n.ID+".")
	return t.String()
}
