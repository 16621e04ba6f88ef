package view

import (
	"cmp"

	"staffeln/backup"
	"staffeln/db"
)

// removed adds the restore points that were removed, and returns their records.
func (t *reportBuilder) removed(points []db.RemovedPoint) (records []string) {
	gone := map[string][]Gone{}
	for _, r := range points {
		records = append(records, r.ID)
		t.project(r.ProjectID, r.ProjectName)
		one := Gone{
			VolumeNames: VolumeNames{VolumeID: r.VolumeID, VolumeName: r.VolumeName, ServerID: r.ServerID, ServerName: r.ServerName},
			BackupID:    r.BackupID, DataTime: r.DataTimestamp.UTC(), RemovedAt: r.RemovedAt.UTC(), Reason: cmp.Or(r.Reason, backup.RetentionOver),
		}
		if !r.Retention.IsZero() {
			one.Promised = r.Retention.After(r.DataTimestamp)
		}
		gone[r.ProjectID] = append(gone[r.ProjectID], one)
	}
	for id, of := range gone {
		t.project(id, "").Removed = Removals(of)
	}
	return records
}

// fewer adds the volumes with fewer restore points than promised.
func (t *reportBuilder) fewer(volumes []db.FewVolume) {
	for _, v := range volumes {
		of := VolumeNames{VolumeID: v.VolumeID, VolumeName: v.VolumeName, ServerID: v.ServerID, ServerName: v.ServerName}
		f, fewer := Lacks(t.now, of, v.Points, v.Ever, t.set.MinRestorePoints, v.EndedAt, t.set.ProtectionGrace.Std())
		if fewer {
			p := t.project(v.ProjectID, v.ProjectName)
			p.Fewer = append(p.Fewer, f)
		}
	}
}
