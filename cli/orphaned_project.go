package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/openstack"
	"staffeln/view"
)

// orphanedProject is what a deleted project left in Cinder: what purge-project removes, and what it keeps.
type orphanedProject struct {
	project db.Project
	at      time.Time
	volumes []db.Volume // with backups to remove
	removed []view.Expiring
	kept    []view.Expiring
	// existing are the volumes of the project that Cinder still has.
	existing []db.Volume
}

// inspect decides like the worker, from Cinder's backups and our records, but returns all backups that will be removed one
// after the other, not only the leaves.
func (o *operator) inspect(ctx context.Context, cloud *openstack.OrphanedProject, p db.Project, all bool) (orphanedProject, error) {
	e := orphanedProject{project: p}
	volumes, held, err := o.readProject(ctx, &e)
	if err != nil {
		return e, err
	}
	for _, v := range volumes {
		there, err := cloud.VolumeBackups(ctx, p.ID, v.ID)
		if err != nil {
			return e, err
		}
		constraints := backup.ConstraintsOf(p.ID, v.Guard(o.set), held[v.ID])
		constraints.Purged = all
		if e.add(v, constraints, held[v.ID], there) {
			e.volumes = append(e.volumes, v)
		}
	}
	slices.SortStableFunc(e.removed, func(a, b view.Expiring) int { return cmp.Or(a.Compare(b.Object), b.DataAt.Compare(a.DataAt)) }) // in the order of removal
	slices.SortStableFunc(e.kept, func(a, b view.Expiring) int { return cmp.Or(a.Compare(b.Object), a.DataAt.Compare(b.DataAt)) })
	return e, nil
}

// readProject returns the project's volumes, and the records of what Cinder may hold of each in the project.
func (o *operator) readProject(ctx context.Context, e *orphanedProject) (volumes []db.Volume, held map[string][]backup.Record, err error) {
	err = o.database.Snapshot(ctx, func(l *db.Snapshot) error {
		e.at = l.Now
		if volumes, err = l.VolumesOf(ctx, e.project.ID); err != nil {
			return err
		}
		if e.existing, err = l.VolumesIn(ctx, e.project.ID); err != nil {
			return err
		}
		held, err = l.Held(ctx, view.Each(volumes, func(v db.Volume) string { return v.ID }))
		return err
	})
	for id, records := range held {
		held[id] = slices.DeleteFunc(records, func(r backup.Record) bool { return r.ProjectID != e.project.ID })
	}
	return volumes, held, err
}

// add adds the backups of one volume, and reports whether any of them will be removed.
func (e *orphanedProject) add(v db.Volume, constraints backup.Constraints, records []backup.Record, there []backup.Backup) bool {
	links, reasons := linksInCinder(v, records, there)
	of := view.ObjectOfVolume(v)
	of.ProjectID, of.ProjectName = e.project.ID, e.project.Name
	row := func(l backup.Link, reason backup.Reason) view.Expiring {
		return view.ExpiringOf(of, l, nil, nil, cmp.Or(reasons[l.BackupID], reason), false)
	}
	some := false
	for {
		removals, kept := backup.Expired(e.at, constraints, links)
		for _, r := range removals {
			some = true
			e.removed = append(e.removed, row(r.Link, r.Reason))
			links = backup.Without(links, r.Link)
		}
		if len(removals) == 0 {
			for _, k := range kept {
				e.kept = append(e.kept, row(k.Link, k.Reason))
			}
			return some
		}
	}
}

// linksInCinder returns the backups that Cinder has, and those that it no longer has although our records do not show it.
// Backups that are being removed, or could not be, count as removed, because their removal is tried again; reasons has why.
func linksInCinder(v db.Volume, records []backup.Record, there []backup.Backup) (links []backup.Link, reasons map[string]backup.Reason) {
	reasons = map[string]backup.Reason{}
	byID := map[string]*backup.Record{}
	for i, r := range records {
		byID[r.BackupID] = &records[i]
		switch {
		case r.State == backup.Deleting:
			reasons[r.BackupID] = backup.BeingRemoved
		case r.State == backup.Undeletable:
			reasons[r.BackupID] = backup.CannotBeRemoved
		case !r.Leftover():
			continue
		}
		if l, ok := r.Link(v.Retention); ok && !slices.ContainsFunc(there, func(b backup.Backup) bool { return b.ID == r.BackupID }) {
			l.Status = backup.StatusError
			links = append(links, l)
		}
	}
	for _, b := range there {
		l := backup.LinkOf(b, byID[b.ID], v.Retention)
		if reasons[b.ID] != "" {
			l.Status = backup.StatusError
		}
		links = append(links, l)
	}
	return links, reasons
}

func (e *orphanedProject) render(w *renderer) {
	w.now = e.at
	w.title("What " + e.project.String() + " left behind")
	for _, part := range []struct {
		name string
		rows []view.Expiring
	}{{"TO REMOVE", e.removed}, {"KEPT", e.kept}} {
		w.section(fmt.Sprintf("%s (%d)", part.name, len(part.rows)), "")
		if len(part.rows) == 0 {
			w.line("  None.")
			continue
		}
		w.table([]column{{name: "DATA OF"}, {name: "VOLUME, SERVER, PROJECT", flex: true}, {name: "KIND"}, {name: "GIB", right: true}, {name: "WHY"}},
			view.Each(part.rows, func(g view.Expiring) []string {
				return []string{w.shortTime(g.DataAt), g.All(), short(g.Kind), strconv.Itoa(g.SizeGiB), string(g.Reason.Code)}
			}), 0)
		for _, why := range reasonsOf(part.rows) {
			w.paragraph("  ", string(why)+": "+why.Sentence())
		}
	}
}

// summary returns what is kept.
func (e *orphanedProject) summary() string {
	byAge := 0
	for _, row := range e.kept {
		if slices.Contains([]backup.Reason{backup.Young, backup.Floor, backup.FloorDependsOnIt}, row.Reason.Code) {
			byAge++
		}
	}
	kept := view.Plural(len(e.kept), "backup is", "backups are") + " kept, for the reasons above"
	switch {
	case len(e.kept) == 0:
		return "No backup of it is left"
	case byAge == 0:
		return kept
	}
	return kept + "; --all also removes backups whose retention or grace has not ended"
}

// leftBehind returns what is left of the project besides backups, and how it is deleted; empty if nothing is known to be left.
func (e *orphanedProject) leftBehind() string {
	if len(e.existing) == 0 {
		return ""
	}
	of := " of it still exist: "
	if len(e.existing) == 1 {
		of = " of it still exists: "
	}
	return view.Plural(len(e.existing), "volume", "volumes") + of + backup.ProjectGoneCure(e.project.ID) + "."
}
