package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/takeover"
)

// importFacts are what the cloud and the records have about the rows.
type importFacts struct {
	takeover.CloudFacts

	now      time.Time
	set      backup.Settings
	rows     map[string]takeover.Row // by volume, one that has its names
	volumes  map[string]backup.Volume
	wishes   map[string]backup.Wish
	servers  map[string]backup.Server
	projects map[string]backup.Project
}

// facts reads the cloud in pages, asks by ID about what these lack, and reads which backups have a record.
func (i *importing) facts(ctx context.Context, rows []takeover.Row) (*importFacts, error) {
	f := &importFacts{
		CloudFacts: takeover.CloudFacts{Installation: i.installation, Backups: map[string]backup.Backup{}, Gone: map[string]bool{}, Unknown: map[string]bool{}},
		set:        i.set, rows: map[string]takeover.Row{},
	}
	ids := map[string]bool{}
	for _, r := range rows {
		if ids[r.BackupID] = true; f.rows[r.VolumeID].VolumeName == "" {
			f.rows[r.VolumeID] = r
		}
	}
	delete(ids, "")
	inv, err := i.cloud.Observe(ctx)
	if err != nil {
		return nil, err
	}
	if !inv.Complete() {
		return nil, fmt.Errorf("the cloud could not be read completely, import again: %s", strings.Join(inv.Unseen, "; "))
	}
	err = i.cloud.AllBackups(ctx, func(page []backup.Backup) error {
		for _, b := range page {
			if _, ofVolume := f.rows[b.VolumeID]; ofVolume || ids[b.ID] {
				f.Backups[b.ID] = b
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	askAll(ctx, lacking(ids, f.Backups), i.cloud.AnyBackup, f.Backups, f.Gone)
	i.protection(ctx, f, inv)
	if err := i.cloud.VerifyAdmin(ctx); err != nil { // else a 404 proves nothing
		return nil, err
	}
	return f, i.database.Snapshot(ctx, func(l *db.Snapshot) error {
		f.now = l.Now
		all := slices.AppendSeq(slices.Collect(maps.Keys(f.Backups)), maps.Keys(ids))
		known, inProgress, err := l.Recorded(ctx, all, slices.Collect(maps.Keys(f.rows)))
		f.Known, f.InProgress = setOf(known), setOf(inProgress)
		return err
	})
}

// protection finds out which volumes exist and which are protected now, as a plan does.
func (i *importing) protection(ctx context.Context, f *importFacts, inv backup.Inventory) {
	byID := func(v backup.Volume) string { return v.ID }
	f.volumes, f.servers = indexed(inv.Volumes, byID), indexed(inv.Servers, func(s backup.Server) string { return s.ID })
	f.projects = indexed(inv.Projects, func(p backup.Project) string { return p.ID })
	responses := backup.CloudResponses{Servers: map[string]backup.Server{}, Volumes: map[string]backup.Volume{}, GoneServers: map[string]bool{}, GoneVolumes: map[string]bool{}}
	of := map[string]bool{}
	for _, b := range f.Backups {
		of[b.VolumeID] = true
	}
	askAll(ctx, lacking(of, f.volumes), i.cloud.AnyVolume, responses.Volumes, responses.GoneVolumes)
	maps.Copy(f.volumes, responses.Volumes)
	for id := range of {
		if _, there := f.volumes[id]; !there && !responses.GoneVolumes[id] {
			f.Unknown[id] = true
		}
	}
	protect := func() backup.View {
		return backup.Protect(inv, i.set.Keys(), func(backup.Volume) backup.Before { return backup.Before{} }, responses)
	}
	holders := map[string]bool{}
	for _, id := range protect().Unknown {
		for _, server := range f.volumes[id].Servers {
			if s, listed := f.servers[server]; of[id] && (!listed || s.Partial) {
				holders[server] = true
			}
		}
	}
	askAll(ctx, slices.Sorted(maps.Keys(holders)), i.cloud.Server, responses.Servers, responses.GoneServers)
	seen := protect()
	for _, id := range seen.Unknown {
		f.Unknown[id] = true
	}
	maps.Copy(f.servers, responses.Servers)
	f.wishes = indexed(seen.Protected, func(w backup.Wish) string { return w.Volume.ID })
}

// write returns the records of what is taken over, and their volumes.
func (f *importFacts) write(decisions []takeover.RowDecision, set backup.Settings) (volumes []db.Volume, records []backup.Record) {
	made := map[string]db.Volume{}
	for _, d := range decisions {
		if !d.Outcome.Taken() {
			continue
		}
		v, done := made[d.VolumeID()]
		if !done {
			v = f.volume(d)
			made[v.ID], volumes = v, append(volumes, v)
		}
		retention := v.Retention.InForce
		if retention.IsZero() || v.ProjectID != d.ProjectID() {
			retention = set.RetentionTime
		}
		records = append(records, d.Record(f.now, set, takeover.Context{
			Volume: f.volumes[v.ID], ServerName: f.servers[d.Row.ServerID].Name, ProjectName: f.projects[d.ProjectID()].Name, Retention: retention,
		}))
	}
	return volumes, records
}

// volume returns the volume as the first plan would see it. One that Cinder no longer has is gone.
func (f *importFacts) volume(d takeover.RowDecision) db.Volume {
	now, id := f.now, d.VolumeID()
	seen, there := f.volumes[id]
	if !there {
		return db.Volume{ID: id, Name: f.rows[id].VolumeName, ProjectID: d.ProjectID(), ProjectName: f.projects[d.ProjectID()].Name, SizeGiB: d.Backup.SizeGiB, Encrypted: d.Backup.Encrypted, GoneAt: &now}
	}
	v := db.Volume{
		ID: id, Name: seen.Name, ProjectID: seen.ProjectID, ProjectName: f.projects[seen.ProjectID].Name, Zone: seen.Zone, Status: seen.Status, Migration: seen.Migration,
		SizeGiB: seen.SizeGiB, Encrypted: seen.Encrypted,
	}
	if w, protected := f.wishes[id]; protected {
		v.Protected, v.ProtectedSince, v.Retention = true, &now, backup.Retain(now, backup.Retention{}, w, f.set.Bounds())
		v.ServerID, v.ServerName, v.AttachedID, v.AttachedName = w.Server.ID, w.Server.Name, w.Server.ID, w.Server.Name
	}
	return v
}

// asksAtOnce is how many objects are read by ID at a time.
const asksAtOnce = 8

// askAll reads objects by ID. One without a response is neither found nor gone.
func askAll[T any](ctx context.Context, ids []string, ask func(context.Context, string) (T, error), found map[string]T, gone map[string]bool) {
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(asksAtOnce)
	for _, id := range ids {
		group.Go(func() error {
			one, err := ask(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				found[id] = one
			} else if backup.Means(err, backup.MeansNotFound) {
				gone[id] = true
			}
			return nil
		})
	}
	_ = group.Wait() // what got no response is not checked
}

// lacking returns the IDs that a listing lacks.
func lacking[T any](ids map[string]bool, listed map[string]T) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(ids)), func(id string) bool { _, there := listed[id]; return there })
}

func indexed[T any](all []T, id func(T) string) map[string]T {
	by := make(map[string]T, len(all))
	for _, one := range all {
		by[id(one)] = one
	}
	return by
}

func setOf(ids []string) map[string]bool {
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}
