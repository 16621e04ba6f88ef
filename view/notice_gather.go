package view

import (
	"staffeln/backup"
	"staffeln/db"
)

// NoticeProjects returns the content of notices of one kind, which must be in the order of their projects.
func NoticeProjects(set backup.Settings, of []db.Notice) (projects []NoticeProject) {
	for _, n := range of {
		last := len(projects) - 1
		if last < 0 || projects[last].ID != n.ProjectID {
			projects = append(projects, NoticeProject{ID: n.ProjectID, Name: n.Content.ProjectName})
			last++
		}
		projects[last].Volumes = append(projects[last].Volumes, noticeVolume(set, n))
	}
	return projects
}

func noticeVolume(set backup.Settings, n db.Notice) NoticeVolume {
	v := NoticeVolume{
		VolumeNames: VolumeNames{VolumeID: n.VolumeID, VolumeName: n.Content.VolumeName, ServerID: n.Content.ServerID, ServerName: n.Content.ServerName},
		Since:       n.Content.Since, Reason: n.Content.Reason, Points: n.Points, Reverted: !n.Holds,
	}
	if n.Kind == backup.RetentionShortened {
		v.RemovalAt, v.Expiring = new(n.Content.Since.Add(set.RetentionShortenDelay.Std())), min(n.Expiring, max(0, n.Points-set.MinRestorePoints))
		if n.Content.InForce != nil && n.Content.Shorter != nil {
			v.InForce, v.Shorter = *n.Content.InForce, *n.Content.Shorter
		}
		return v
	}
	if v.Points == 0 {
		v.Reverted = false // nothing is left to expire, however the protection ended
		return v
	}
	if n.LastEnd != nil {
		v.RemovalAt = new(backup.LastExpiry(n.LastEnd.UTC(), n.Content.Since, set.MinRestorePoints, set.ProtectionGrace.Std()))
	}
	return v
}
