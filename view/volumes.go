package view

import (
	"context"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// VolumeList is a page of volumes, and the numbers of volumes by protection.
type VolumeList struct {
	AsOf

	LateAfter int64           `json:"late_after_seconds" desc:"a protected volume is late when the data of its newest restore point is older than this plus what a backup of it usually takes, or when it is protected for longer and has none; STAFFELN_RPO_GRACE has the upper bound"`
	Counts    Counts          `json:"counts" desc:"number of volumes by protection, regardless of the filter"`
	Volumes   []VolumeSummary `json:"volumes" desc:"those that the filter admits"`
	More      bool            `json:"-"` // there are more in the direction of the page
}

// VolumeSummary is the protection of one volume, the reason, and what comes next.
type VolumeSummary struct {
	Object

	SizeGiB int    `json:"size_gib" desc:"its size"`
	Status  string `json:"status" desc:"Cinder's status of it, as the newest plan that saw it read it"`
	VolumeProtection
	Why   string `json:"why" desc:"in a sentence: why it is not protected now; \"\": it is protected, or this is not known"`
	Now   Next   `json:"now" desc:"what a plan would decide now"`
	Ahead *Ahead `json:"ahead" desc:"the first later plan that will ask for something by time alone; null: time alone changes nothing"`
}

// Volumes lists the volumes that match f.
func (r Reader) Volumes(ctx context.Context, l *db.Snapshot, f db.ProtectionFilter) (VolumeList, error) {
	if r.Project != "" {
		f.Only = r.Project
	}
	list := VolumeList{LateAfter: int64(r.Settings.RPO().Of(0) / time.Second), Volumes: []VolumeSummary{}}
	var err error
	if list.AsOf, _, err = r.Metadata(ctx, l); err != nil {
		return list, err
	}
	if list.Counts, err = r.Counts(ctx, l); err != nil {
		return list, err
	}
	limit := f.Limit
	if limit > 0 {
		f.Limit++ // one more shows whether there are more
	}
	found, err := l.ProtectionPage(ctx, r.Settings.RPO(), f)
	if err != nil {
		return list, err
	}
	if limit > 0 && len(found) > limit {
		list.More = true
		if f.Before != nil {
			found = found[1:] // drop the farthest
		} else {
			found = found[:limit]
		}
	}
	err = r.judge(ctx, l, &list, found)
	return list, err
}

// judge adds to a list what is decided for each volume.
func (r Reader) judge(ctx context.Context, l *db.Snapshot, list *VolumeList, found []db.VolumeProtection) error {
	ids := Each(found, func(p db.VolumeProtection) string { return p.ID })
	volumes, err := l.Volumes(ctx, ids)
	if err != nil {
		return err
	}
	decisive, err := l.Decisive(ctx, ids...)
	if err != nil {
		return err
	}
	failures := map[string]*Failure{}
	if len(ids) > 0 { // without IDs, Failures returns those of all volumes
		failed, err := l.Failures(ctx, ids...)
		if err != nil {
			return err
		}
		for _, f := range failed {
			failures[f.VolumeID] = new(FailureOf(f))
		}
	}
	paused, err := l.Pauses(ctx)
	if err != nil {
		return err
	}
	freed, err := l.QuotaFreed(ctx, Each(volumes, func(v db.Volume) string { return v.ProjectID }))
	if err != nil {
		return err
	}
	byID, records := map[string]db.Volume{}, map[string][]backup.Record{}
	for _, v := range volumes {
		byID[v.ID] = v
	}
	for _, one := range decisive {
		records[one.VolumeID] = append(records[one.VolumeID], one)
	}
	for _, p := range found {
		v := byID[p.ID]
		e := &Explanation{
			AsOf: list.AsOf, Object: ObjectOfVolume(v), Status: v.Status, SizeGiB: v.SizeGiB,
			VolumeProtection: r.protectionOf(p), Failure: failures[p.ID], unseen: p.Reason == backup.NotSeen,
		}
		e.decide(r, v, v.Subject(paused).Freed(freed), records[p.ID])
		list.Volumes = append(list.Volumes, VolumeSummary{e.Object, e.SizeGiB, e.Status, e.VolumeProtection, e.Because(), e.Now, e.Ahead})
	}
	return nil
}
