package view

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"staffeln/backup"
	"staffeln/db"
)

func TestFindingNamesItsObjectAndProjectBesideTheIDs(t *testing.T) {
	t.Parallel()
	of := func(reason backup.Reason, object, name, volume, volumeName string) string {
		f := backup.Finding{Reason: reason, ProjectID: "p-1", Object: object, ObjectName: name, VolumeID: volume, Detail: "it was seen."}
		return FindingOf(db.KeptFinding{Finding: f, ProjectName: "acme", VolumeName: volumeName}).Seen()
	}
	for want, got := range map[string]string{
		"Seen: it was seen; server web (s-1); project acme (p-1).":                       of(backup.BackupMetadataUnreadable, "s-1", "web", "", ""),
		"Seen: it was seen; volume data (v-1); project acme (p-1).":                      of(backup.ProtectionEnded, "v-1", "data", "v-1", "data"),
		"Seen: it was seen; backup data_1 (b-1); volume data (v-1); project acme (p-1).": of(backup.Orphan, "b-1", "data_1", "v-1", "data"),
		"Seen: it was seen; backup b-1; volume v-1; project acme (p-1).":                 of(backup.Orphan, "b-1", "", "v-1", ""),
		"Seen: it was seen; project acme (p-1).":                                         of(backup.ProjectGone, "p-1", "acme", "", ""),
		`Seen: it was seen; server \u202ew (s-1); project acme (p-1).`:                   of(backup.BackupMetadataUnreadable, "s-1", "\u202ew", "", ""),
	} {
		assert.Equal(t, want, got)
	}
}
