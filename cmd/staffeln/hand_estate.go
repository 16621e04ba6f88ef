package main

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

// An estate is what a project that is gone left in Cinder: what goes when it is settled, and what stays.
type estate struct {
	project db.Project
	at      time.Time
	volumes []db.Volume // those that something goes of
	going   []view.Going
	staying []view.Going
}

// lookEstate decides as the worker does, on what Cinder has and our records say; but all that goes is told, link after
// link, not only the leaves.
func (h *hand) lookEstate(ctx context.Context, cloud *openstack.Estate, p db.Project, all bool) (estate, error) {
	e := estate{project: p}
	volumes, held, err := h.left(ctx, &e)
	if err != nil {
		return e, err
	}
	for _, v := range volumes {
		there, err := cloud.VolumeBackups(ctx, p.ID, v.ID)
		if err != nil {
			return e, err
		}
		keeping := backup.KeepingOf(p.ID, v.Guard(h.set), held[v.ID])
		keeping.Settled = all
		if e.add(v, keeping, held[v.ID], there) {
			e.volumes = append(e.volumes, v)
		}
	}
	slices.SortStableFunc(e.going, func(a, b view.Going) int { return cmp.Or(a.Compare(b.Object), b.DataAt.Compare(a.DataAt)) }) // as they go
	slices.SortStableFunc(e.staying, func(a, b view.Going) int { return cmp.Or(a.Compare(b.Object), a.DataAt.Compare(b.DataAt)) })
	return e, nil
}

// left reads the project's volumes, each with what Cinder may hold of it in the project.
func (h *hand) left(ctx context.Context, e *estate) (volumes []db.Volume, held map[string][]backup.Record, err error) {
	err = h.memory.Look(ctx, func(l *db.Look) error {
		e.at = l.Now
		if volumes, err = l.VolumesOf(ctx, e.project.ID); err != nil {
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

// add takes in what the project left of one volume, and tells whether anything of it goes.
func (e *estate) add(v db.Volume, keeping backup.Keeping, records []backup.Record, there []backup.Backup) bool {
	links, why := estateLinks(v, records, there)
	of := view.ObjectOfVolume(v)
	of.ProjectID, of.ProjectName = e.project.ID, e.project.Name
	row := func(l backup.Link, reason backup.Reason) view.Going {
		return view.GoingOf(of, l, nil, cmp.Or(why[l.BackupID], reason), false)
	}
	goes := false
	for {
		removals, kept := backup.Expired(e.at, keeping, links)
		for _, r := range removals {
			goes = true
			e.going = append(e.going, row(r.Link, r.Reason))
			links = backup.Without(links, r.Link)
		}
		if len(removals) == 0 {
			for _, k := range kept {
				e.staying = append(e.staying, row(k.Link, k.Reason))
			}
			return goes
		}
	}
}

// estateLinks are what Cinder has, and what it has no more without our having written that down. What is being removed, or
// could not be, is shown as something that goes, for it is tried again; why says so.
func estateLinks(v db.Volume, records []backup.Record, there []backup.Backup) (links []backup.Link, why map[string]backup.Reason) {
	why = map[string]backup.Reason{}
	byID := map[string]*backup.Record{}
	for i, r := range records {
		byID[r.BackupID] = &records[i]
		switch {
		case r.State == backup.Deleting:
			why[r.BackupID] = backup.BeingRemoved
		case r.State == backup.Undeletable:
			why[r.BackupID] = backup.CannotBeRemoved
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
		if why[b.ID] != "" {
			l.Status = backup.StatusError
		}
		links = append(links, l)
	}
	return links, why
}

func (e *estate) draw(s *sheet) {
	s.now = e.at
	s.title("What " + e.project.String() + " left behind")
	for _, part := range []struct {
		name string
		rows []view.Going
	}{{"GOES", e.going}, {"STAYS", e.staying}} {
		s.section(fmt.Sprintf("%s (%d)", part.name, len(part.rows)), "")
		if len(part.rows) == 0 {
			s.line("  None.")
			continue
		}
		s.table([]column{{name: "DATA OF"}, {name: "VOLUME, SERVER, PROJECT", flex: true}, {name: "KIND"}, {name: "GIB", right: true}, {name: "WHY"}},
			view.Each(part.rows, func(g view.Going) []string {
				return []string{s.near(g.DataAt), g.All(), short(g.Kind), strconv.Itoa(g.SizeGiB), string(g.Reason.Code)}
			}), 0)
		for _, why := range reasonsOf(part.rows) {
			s.words("  ", string(why)+": "+why.Sentence())
		}
	}
}

// rest says what stays.
func (e *estate) rest() string {
	aged := 0
	for _, row := range e.staying {
		if slices.Contains([]backup.Reason{backup.Young, backup.Floor, backup.FloorStandsOnIt}, row.Reason.Code) {
			aged++
		}
	}
	switch {
	case len(e.staying) == 0:
		return "Nothing of it is left"
	case aged == 0:
		return view.Plural(len(e.staying), "backup stays", "backups stay") + ", for the reasons above"
	}
	return view.Plural(len(e.staying), "backup stays", "backups stay") + ", for the reasons above; --all takes also what is within its retention or the grace"
}
