package invariants

import (
	"fmt"

	"staffeln/backup"
)

// chains orders backups into chains as Cinder builds them: Cinder's listings have no parents.
func chains(backups []Backup) (all []backup.Chain) {
	volumes := map[string][]backup.Link{}
	var order []string
	for _, b := range backups {
		if len(volumes[b.Volume]) == 0 {
			order = append(order, b.Volume)
		}
		volumes[b.Volume] = append(volumes[b.Volume], backup.Link{
			BackupID: b.ID, ProjectID: b.Project, Kind: b.Kind, Status: b.Status, DataTime: b.Data, CreatedTime: b.Data,
		})
	}
	for _, volume := range order {
		all = append(all, backup.Chains(volumes[volume])...)
	}
	return all
}

// unrestorable finds our available incrementals, with imported ones, that can't be restored: they have no full, or a link
// below is not available. It is no violation if the record of a backup of the volume is lost, or should be.
func unrestorable(s Snapshot) (found []Violation) {
	there := map[string]Backup{}
	for _, b := range s.Backups {
		there[b.ID] = b
	}
	type owned struct{ volume, project string }
	losses, recorded := map[owned]bool{}, map[string]bool{}
	for _, r := range s.Records {
		recorded[r.Backup] = true
		if _, listed := there[r.Backup]; r.Backup != "" && !listed && (r.State == backup.Lost || r.State == backup.Available) {
			losses[owned{r.Volume, r.Project}] = true
		}
	}
	for _, chain := range chains(s.Backups) {
		why := ""
		if chain[0].Kind == backup.Incremental {
			why = "there is no full beneath it"
		}
		for _, l := range chain {
			b := there[l.BackupID]
			usable := b.Status == backup.StatusAvailable || b.Status == backup.StatusRestoring
			switch {
			case !usable && why == "":
				why = fmt.Sprintf("backup %s beneath it is %s", b.ID, b.Status)
			case usable && (b.Ours || recorded[b.ID]) && why != "" && !losses[owned{b.Volume, b.Project}]:
				found = append(found, Violation{Invariant: IllegalChain, Project: b.Project, Volume: b.Volume, Backup: b.ID, Text: "can't be restored: " + why})
			}
		}
	}
	return found
}
