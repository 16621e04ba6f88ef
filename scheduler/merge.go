package scheduler

import (
	"fmt"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// knowledge is what the plans know about the cloud after one more observation.
type knowledge struct {
	volumes  map[string]*db.Volume
	ends     []db.ProtectionEnd
	findings []backup.Finding
}

// merge merges one observation of the cloud into the known volumes. Pure.
func merge(now time.Time, seen *observation, known map[string]db.Volume, bounds backup.Bounds) *knowledge {
	m := &knowledge{volumes: make(map[string]*db.Volume, max(len(known), len(seen.inv.Volumes))), findings: seen.view.Findings}
	forgotten := map[string]bool{}
	for _, id := range seen.forgotten {
		forgotten[id] = true
	}
	projects := make(map[string]string, len(seen.inv.Projects))
	for _, p := range seen.inv.Projects {
		projects[p.ID] = p.Name
	}
	for _, v := range seen.inv.Volumes {
		m.addSeen(now, v, known[v.ID], projects[v.ProjectID])
	}
	for _, v := range seen.responses.Volumes {
		m.addSeen(now, v, known[v.ID], projects[v.ProjectID])
	}
	for id, kept := range seen.former {
		if v := m.volumes[id]; v != nil {
			v.Retention.InForce, v.Retention.Source = kept, backup.FromMetadata
		}
	}
	for _, w := range seen.view.Protected {
		m.protect(now, m.volumes[w.Volume.ID], w, bounds)
	}
	for _, id := range seen.view.Unknown {
		v := m.volumes[id]
		v.Unknown, v.Protected, v.DetachedPlans = true, protectedBefore(*v, known[id]), seen.view.Detached[id]
		m.addShortened(v)
	}
	for id, reason := range seen.view.Ended {
		m.addEnd(now, known[id], reason)
	}
	for id, v := range known {
		if m.volumes[id] == nil && !forgotten[id] {
			m.addUnlisted(now, v, seen.responses.GoneVolumes[id] && !seen.responses.Unconfirmed)
		}
	}
	m.attach(seen.inv)
	for id, v := range m.volumes {
		if !v.Protected {
			v.Retention = v.Retention.WithoutShorter()
		}
		v.ProtectedSince = protectedSince(now, *v, known[id])
	}
	return m
}

// protectedBefore reports whether the volume was protected before, in the project that owns it now.
func protectedBefore(v, before db.Volume) bool {
	return before.Protected && before.ProjectID == v.ProjectID
}

// protectedSince returns when the protection began. A volume that moved to another project starts again.
func protectedSince(now time.Time, v, before db.Volume) *time.Time {
	switch {
	case !v.Protected:
		return nil
	case protectedBefore(v, before):
		return before.ProtectedSince
	}
	return &now
}

// addSeen adds a volume that exists, as not protected yet.
func (m *knowledge) addSeen(now time.Time, v backup.Volume, before db.Volume, project string) {
	seen := startRetention(now, v, before, project)
	if before.Protected && before.ProjectID != v.ProjectID {
		m.addEnd(now, before, backup.EndTransferred)
	}
	m.volumes[v.ID] = seen
}

// startRetention returns the volume as it is seen now. A volume that came from another project starts a new retention.
func startRetention(now time.Time, v backup.Volume, before db.Volume, project string) *db.Volume {
	seen := before
	seen.ID, seen.Name, seen.ProjectID, seen.Zone, seen.Status = v.ID, v.Name, v.ProjectID, v.Zone, v.Status
	seen.SizeGiB, seen.Encrypted, seen.Migration, seen.SeenAt = v.SizeGiB, v.Encrypted, v.Migration, now
	if seen.Retention = before.Retention.Of(v.ProjectID); before.ID != "" && before.ProjectID != v.ProjectID {
		seen.TransferredAt, seen.Retention.Since = &now, &now
		seen.ServerID, seen.ServerName, seen.AttachedID, seen.AttachedName, seen.ProjectName = "", "", "", "", "" // the new owner must not see the old owner's servers and project
	}
	if project != "" {
		seen.ProjectName = project
	}
	seen.Protected, seen.Unknown, seen.DetachedPlans, seen.GoneAt = false, false, 0, nil
	return &seen
}

func (m *knowledge) protect(now time.Time, v *db.Volume, w backup.Wish, bounds backup.Bounds) {
	v.Protected, v.ServerID, v.ServerName = true, w.Server.ID, w.Server.Name
	v.Retention = backup.Retain(now, v.Retention, w, bounds)
	m.addShortened(v)
}

// attach notes the server that each listed volume is attached to: the one that protects it, or of several the one with the
// smallest ID. What an incomplete list lacks does not change.
func (m *knowledge) attach(inv backup.Inventory) {
	servers, attached := make(map[string]backup.Server, len(inv.Servers)), map[string]string{}
	note := func(volume, server string) {
		if before, ok := attached[volume]; !ok || server < before {
			attached[volume] = server
		}
	}
	for _, s := range inv.Servers {
		servers[s.ID] = s
		for _, id := range s.Volumes {
			note(id, s.ID)
		}
	}
	for _, v := range inv.Volumes {
		for _, id := range v.Servers {
			note(v.ID, id)
		}
	}
	for _, v := range inv.Volumes {
		kept := m.volumes[v.ID]
		server, ok := servers[attached[v.ID]]
		switch {
		case kept.Protected:
			kept.AttachedID, kept.AttachedName = kept.ServerID, kept.ServerName
		case ok && server.ProjectID == kept.ProjectID: // the reader of a volume must not see other projects' servers
			kept.AttachedID, kept.AttachedName = server.ID, server.Name
		case inv.Complete():
			kept.AttachedID, kept.AttachedName = "", ""
		}
	}
}

// addShortened adds a finding as long as a shorter retention is pending, also while it
// is unknown whether the shorter retention is still asked for.
func (m *knowledge) addShortened(v *db.Volume) {
	if v.Protected && v.Retention.Shorter != nil {
		m.findings = append(m.findings, backup.Finding{
			Reason: backup.RetentionShortened, ProjectID: v.ProjectID, Object: v.ID, ObjectName: v.Name, VolumeID: v.ID,
			Detail: fmt.Sprintf("from %s to %s since %s", v.Retention.InForce, v.Retention.Shorter, v.Retention.ShorterSince.Format(time.RFC3339)),
		})
	}
}

// addUnlisted handles a known volume that is not listed: it is gone if Cinder returned
// 404 for its ID, else it is not changed.
func (m *knowledge) addUnlisted(now time.Time, v db.Volume, gone bool) {
	if v.GoneAt == nil && gone {
		if v.Protected {
			m.addEnd(now, v, backup.EndVolumeDeleted)
		}
		v.GoneAt, v.Protected, v.Unknown, v.DetachedPlans = &now, false, false, 0
	} else if v.GoneAt == nil {
		v.Unknown = true
		m.addShortened(&v)
	}
	m.volumes[v.ID] = &v
}

// addEnd records that the protection of v in its project ended.
func (m *knowledge) addEnd(now time.Time, v db.Volume, reason backup.Reason) {
	m.ends = append(m.ends, db.ProtectionEnd{
		VolumeID: v.ID, ProjectID: v.ProjectID, EndedAt: now, Reason: reason, ServerID: v.ServerID, ServerName: v.ServerName,
	})
}
