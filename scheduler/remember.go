package scheduler

import (
	"fmt"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// memory is what the plans know after one more look at the cloud.
type memory struct {
	volumes  map[string]*db.Volume
	unknown  map[string]bool // nothing is concluded about these now
	findings []backup.Finding
}

// absences is how many complete plans in a row must miss a volume, or all the
// servers of a volume, before that counts: a listing raises suspicions only.
const absences = 2

// remember merges one look at the cloud into what was known. Pure.
func remember(now time.Time, inv backup.Inventory, view backup.View, known map[string]db.Volume, bounds backup.Bounds) *memory {
	m := &memory{
		volumes: make(map[string]*db.Volume, max(len(known), len(inv.Volumes))), unknown: map[string]bool{}, findings: view.Findings,
	}
	projects := make(map[string]string, len(inv.Projects))
	for _, p := range inv.Projects {
		projects[p.ID] = p.Name
	}
	for _, v := range inv.Volumes {
		before := known[v.ID]
		m.volumes[v.ID] = sight(now, v, before, projects[v.ProjectID])
	}
	for _, w := range view.Protected {
		m.protect(now, m.volumes[w.Volume.ID], w, bounds)
	}
	for _, id := range view.Unknown {
		m.missServers(m.volumes[id], known[id], inv.Complete())
	}
	for id, v := range known {
		if m.volumes[id] == nil {
			m.missVolume(now, v, inv.Complete())
		}
	}
	for id, v := range m.volumes {
		if !v.Protected {
			v.Retention = v.Retention.Unseen()
		}
		v.ProtectedSince = protectedSince(now, *v, known[id])
	}
	return m
}

// protectedSince begins with the protection, and again in another project.
func protectedSince(now time.Time, v, before db.Volume) *time.Time {
	switch {
	case !v.Protected:
		return nil
	case before.Protected && before.ProjectID == v.ProjectID:
		return before.ProtectedSince
	}
	return &now
}

// sight is a volume that the listing shows; without protection so far.
func sight(now time.Time, v backup.Volume, before db.Volume, project string) *db.Volume {
	seen := before
	seen.ID, seen.Name, seen.ProjectID, seen.Zone, seen.Status = v.ID, v.Name, v.ProjectID, v.Zone, v.Status
	seen.SizeGiB, seen.Encrypted, seen.SeenAt = v.SizeGiB, v.Encrypted, now
	if seen.Retention = before.Retention.Of(v.ProjectID); before.ID != "" && before.ProjectID != v.ProjectID {
		seen.TransferredAt, seen.Retention.Since = &now, &now
	}
	if project != "" {
		seen.ProjectName = project
	}
	seen.Protected, seen.AbsentPlans, seen.AbsentServerPlans, seen.GoneAt = false, 0, 0, nil
	return &seen
}

func (m *memory) protect(now time.Time, v *db.Volume, w backup.Wish, bounds backup.Bounds) {
	v.Protected, v.ServerID, v.ServerName = true, w.Server.ID, w.Server.Name
	v.Retention = backup.Retain(now, v.Retention, w, bounds)
	if v.Retention.Shorter != nil {
		m.findings = append(m.findings, backup.Finding{
			Reason: backup.RetentionShortened, ProjectID: v.ProjectID, Object: v.ID,
			Detail: fmt.Sprintf("from %s to %s since %s", v.Retention.InForce, v.Retention.Shorter, v.Retention.ShorterSince.Format(time.RFC3339)),
		})
	}
}

// missServers is a volume attached only to servers that Nova did not list. It
// stays as it was until complete plans say so twice.
//
// The two absences are counted apart: one list without servers and one without
// volumes are two suspicions, and confirm neither.
func (m *memory) missServers(v *db.Volume, before db.Volume, complete bool) {
	v.Protected, v.AbsentServerPlans = before.Protected, missed(before.AbsentServerPlans, complete)
	if v.AbsentServerPlans >= absences {
		v.Protected = false
		return
	}
	m.unknown[v.ID] = true
}

// missVolume is a volume that was known and is not listed.
func (m *memory) missVolume(now time.Time, v db.Volume, complete bool) {
	m.volumes[v.ID] = &v
	if v.GoneAt != nil {
		return
	}
	v.AbsentPlans, v.AbsentServerPlans = missed(v.AbsentPlans, complete), 0
	if v.AbsentPlans >= absences {
		v.GoneAt, v.Protected = &now, false
		return
	}
	m.unknown[v.ID] = true
}

// missed counts in a row: an incomplete plan begins anew.
func missed(before int, complete bool) int {
	if !complete {
		return 0
	}
	return before + 1
}
