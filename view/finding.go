package view

import (
	"strings"
	"time"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/visible"
)

// Finding is what somebody should know about one object.
type Finding struct {
	Reason      Reason    `json:"reason" desc:"what was found"`
	ProjectID   string    `json:"project_id" desc:"of the project it is about; \"\": about none"`
	ProjectName string    `json:"project_name" desc:"its name; \"\": not known"`
	Object      string    `json:"object" desc:"ID of the server, volume, project or backup it is about"`
	ObjectName  string    `json:"object_name" desc:"its name; \"\": it has none, or it is not known"`
	VolumeID    string    `json:"volume_id" desc:"of the volume that it, or its backup, is about; \"\": about none"`
	VolumeName  string    `json:"volume_name" desc:"its name; \"\": not known"`
	Detail      string    `json:"detail" desc:"what was seen"`
	Since       time.Time `json:"since" desc:"when it was seen first"`
}

// FindingOf returns the view of a finding.
func FindingOf(f db.KeptFinding) Finding {
	return Finding{ReasonOf(f.Reason), f.ProjectID, f.ProjectName, f.Object, f.ObjectName, f.VolumeID, f.VolumeName, f.Detail, f.Since.UTC()}
}

// Named returns the object's name and ID.
func (f Finding) Named() string { return visible.Named(f.ObjectName, f.Object) }

// Brief returns what was seen, and of what, for a report: it has the project's name above its findings.
func (f Finding) Brief() string { return strings.TrimSuffix(f.Named()+": "+f.Detail, ": ") }

// Seen returns what was seen, and of what: the object, the volume of a backup, and the project.
func (f Finding) Seen() string {
	words := []string{"Seen: " + strings.TrimRight(f.Detail, ".")}
	switch {
	case f.Object == f.ProjectID: // the project is named below
	case f.VolumeID == "":
		words = append(words, f.Named())
	case f.Object == f.VolumeID:
		words = append(words, "volume "+visible.Named(f.VolumeName, f.VolumeID))
	default:
		words = append(words, "backup "+f.Named(), "volume "+visible.Named(f.VolumeName, f.VolumeID))
	}
	if f.Reason.Code == backup.BackupMetadataUnreadable || f.Reason.Code == backup.RetentionMetadataUnreadable {
		words[1] = "server " + words[1]
	}
	if f.ProjectID != "" {
		words = append(words, "project "+visible.Named(f.ProjectName, f.ProjectID))
	}
	return strings.Join(words, "; ") + "."
}
