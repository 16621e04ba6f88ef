package view

import (
	"slices"
	"time"

	"staffeln/backup"
)

// Restore is how to restore a restore point of a volume: into a volume that is created first.
type Restore struct {
	BackupID  string    `json:"backup_id" desc:"Cinder's, of the restore point"`
	DataAt    time.Time `json:"data_at" desc:"the time of its data"`
	ProjectID string    `json:"project_id" desc:"the project that owns the backup: restore with an account of it"`
	Commands  []string  `json:"commands" desc:"for a shell with OpenStack's client, in turn"`

	typeUnknown bool // the user must set the volume's type
}

// Notes returns the warnings for the commands.
func (r *Restore) Notes() string {
	if r.typeUnknown {
		return "First set TYPE to the type that the volume had. " + RestoreNotes
	}
	return RestoreNotes
}

// Lines returns the commands, each in lines that fit into a terminal.
func (r *Restore) Lines() []string { return CommandLines(r.Commands) }

// Begin returns the first command. It is the only one that differs between the restore points of a volume.
func (r *Restore) Begin() string { return r.Commands[0] }

// restoresOf returns, by backup ID, how to restore each restore point among the links, and how to restore the newest one;
// nil: there is none.
func (v *Explanation) restoresOf(links map[string][]backup.Link) (all map[string]*Restore, newest *Restore) {
	all = map[string]*Restore{}
	for _, of := range links {
		for _, l := range backup.Restorable(of) {
			r := v.restoreOf(l)
			all[l.BackupID] = r
			if newest == nil || newest.DataAt.Before(r.DataAt) {
				newest = r
			}
		}
	}
	return all, newest
}

func (v *Explanation) restoreOf(l backup.Link) *Restore {
	p := RestorePoint{BackupID: l.BackupID, SizeGiB: l.SizeGiB, VolumeID: v.VolumeID, Zone: v.Zone, Gone: v.GoneAt != nil}
	return &Restore{BackupID: l.BackupID, DataAt: l.DataTime, ProjectID: l.ProjectID, Commands: RestoreCommands(p), typeUnknown: p.Gone}
}

// Others returns the restore points of the listed chains except the newest one of all, the newest first.
func (v *Explanation) Others() []Link {
	var others []Link
	for _, c := range v.Chains {
		for _, l := range c.Links {
			if l.Restore != nil && l.Restore != v.Restore {
				others = append(others, l)
			}
		}
	}
	slices.SortStableFunc(others, func(a, b Link) int { return b.DataAt.Compare(a.DataAt) })
	return others
}
