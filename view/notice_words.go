package view

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
		return fmt.Sprintf("No new backups are made. %s left. Each is removed when its retention ends, the newest not before the operator's grace period ends. The first volume loses its last restore point at %s UTC.",
			Plural(n.points(), "restore point is", "restore points are"), Clock(*first))
	case first == nil:
		return "It is no longer pending: it was taken back, or it is in force by now."
	}
	return fmt.Sprintf("The previous retention remains in force until %s UTC at least. Then the restore points older than the shorter one are removed: %d of the current %d.",
		Clock(*first), n.expiring(), n.points())
}

// Advice returns what to do about it, one step each.
func (n Notice) Advice() []string {
	advice := []string{"If this was intended, you need not do anything."}
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
	return append(advice, "If nobody of the project did it, somebody else may have access to it: change passwords and application credentials, and inform the operator of the cloud at once.")
}

// after returns what restores the protection.
func (n Notice) after(r backup.Reason) string {
	asks := "a server that asks for backups"
	if n.BackupKey != "" {
		asks = fmt.Sprintf("a server with the metadata %s=true", n.BackupKey)
	}
	if r == backup.EndMetadata {
		return fmt.Sprintf("Where the server's metadata was changed, set %s=true again: the backups continue, and the newest restore points are kept.", n.BackupKey)
	}
	if r == backup.EndVolumeDeleted {
		return "Where a volume was deleted, restore what is needed into a new volume before its last restore point is removed."
	}
	if r == backup.EndTransferred {
		return "Where a volume was transferred to another project, its earlier restore points remain in this project: restore what is needed into a new volume before the last one is removed."
	}
	return "Where a volume was detached or its server deleted, attach the volume to " + asks + "."
}

// Facts returns what happened to the volume, since when, and the consequences.
func (v NoticeVolume) Facts(kind backup.Reason) string {
	if kind == backup.RetentionShortened {
		words := fmt.Sprintf("Retention %s instead of %s, seen first at %s.", v.Shorter, v.InForce, Clock(v.Since))
		if v.Reverted {
			return words + " It is no longer pending."
		}
		if v.RemovalAt != nil {
			words += fmt.Sprintf(" In force from %s at the earliest; then %s.", Clock(*v.RemovalAt), Plural(v.Expiring, "of "+fmt.Sprint(v.Points)+" restore points is removed", "of "+fmt.Sprint(v.Points)+" restore points are removed"))
		}
		return words
	}
	words := fmt.Sprintf("%s Not protected since %s.", v.Reason.Sentence(), Clock(v.Since))
	switch {
	case v.Reverted:
		return words + " It is protected again by now."
	case v.Points == 0 || v.RemovalAt == nil:
		return words + " No restore point is left."
	}
	return words + fmt.Sprintf(" %s left; the last one is removed at %s.", Plural(v.Points, "restore point is", "restore points are"), Clock(*v.RemovalAt))
}

// Named returns the project's name in a safe form.
func (p NoticeProject) Named() string { return visible.Text(Or(p.Name, p.ID)) }

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
		t.words("", fmt.Sprintf("Project %s (ID %s): %s", p.Named(), p.ID, Plural(p.Count, "volume", "volumes")))
		for _, v := range p.Volumes {
			t.item(v.named())
			t.words("  ", v.Facts(n.Kind))
			t.words("  ", v.ids("", ""))
		}
		if p.More() > 0 {
			t.item("and " + Plural(p.More(), "more volume", "more volumes"))
		}
	}
	t.line("")
	t.line("What to do")
	for _, step := range n.Advice() {
		t.item(step)
	}
	t.line("")
	t.words("", "All times are UTC. Sent at "+Clock(n.At)+". Notice "+n.ID+".")
	return t.String()
}
