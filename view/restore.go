package view

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"staffeln/backup"
)

// Restore is how to restore the newest restore point of a volume: into a volume that is
// made first, whose ID the restore names. If Cinder 22.0.0 to 28.0.0 makes the target
// itself, an incremental is restored with stale data, without an error.
type Restore struct {
	BackupID  string    `json:"backup_id" desc:"Cinder's, of the newest restore point"`
	DataAt    time.Time `json:"data_at" desc:"the time of its data"`
	ProjectID string    `json:"project_id" desc:"the project that owns the backup: restore with an account of it"`
	Commands  []string  `json:"commands" desc:"for a shell with OpenStack's client, in turn; wait between them until the volume is available"`

	typeUnknown bool // the user must set the volume's type
}

// Notes returns the warnings for the commands.
func (r *Restore) Notes() string {
	notes := "Wait before the last one until the new volume is available. Never let Cinder make the volume: from 2023.1 to 2026.1 it then brings stale data back, without an error."
	if r.typeUnknown {
		notes = "Set TYPE to the type that the volume had. " + notes
	}
	return notes
}

// restoreOf returns how to restore the newest restore point among the links; nil: there is none.
func (v *Explanation) restoreOf(links map[string][]backup.Link) *Restore {
	var points []backup.Link
	for _, of := range links {
		points = append(points, backup.Restorable(of)...)
	}
	if len(points) == 0 {
		return nil
	}
	l := slices.MaxFunc(points, func(a, b backup.Link) int { return a.DataTime.Compare(b.DataTime) })
	zone := ""
	if v.Zone != "" {
		zone = " --availability-zone " + quoted(v.Zone)
	}
	r := &Restore{BackupID: l.BackupID, DataAt: l.DataTime, ProjectID: l.ProjectID, typeUnknown: v.GoneAt != nil}
	if !r.typeUnknown {
		r.Commands = append(r.Commands, "TYPE=$(openstack volume show -f value -c type "+v.VolumeID+")")
	}
	r.Commands = append(r.Commands,
		fmt.Sprintf(`NEW=$(openstack volume create -f value -c id --size %d --type "${TYPE:?}"%s restored-%s)`, l.SizeGiB, zone, l.BackupID),
		// With an empty or unknown ID Cinder would make the volume.
		fmt.Sprintf(`openstack volume backup restore --force %s "${NEW:?}"`, l.BackupID))
	return r
}

// Lines returns the commands, each in lines that fit into a terminal.
func (r *Restore) Lines() []string {
	var lines []string
	for _, c := range r.Commands {
		for _, before := range []string{" -c type ", " --size ", " --availability-zone ", " restored-", " --force "} {
			c = strings.Replace(c, before, " \\\n   "+before, 1)
		}
		lines = append(lines, strings.Split(c, "\n")...)
	}
	return lines
}

var plain = regexp.MustCompile(`^[A-Za-z0-9._:@-]+$`)

// quoted returns a word quoted for a shell.
func quoted(word string) string {
	if plain.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
