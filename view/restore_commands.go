package view

import (
	"fmt"
	"regexp"
	"strings"
)

// RestoreNotes are the warnings for the commands of [RestoreCommands] and [anyRestore].
const RestoreNotes = "Never let Cinder create the volume: releases 2023.1 to 2026.1 then restore stale data without an error."

// restoreIntro is the sentence above the commands in a report.
const restoreIntro = "To restore a backup, set BACKUP and VOLUME to its IDs and run these commands in a shell, with an account of its project."

// A RestorePoint is what the commands that restore it need to know.
type RestorePoint struct {
	BackupID string
	SizeGiB  int
	VolumeID string
	Zone     string // of the volume; empty: not known
	Gone     bool   // the volume: nobody can ask for its type, so the user must set TYPE
}

// RestoreCommands returns the commands that restore a restore point safely: they create a volume with the same type, zone
// and size, and restore into its ID. If Cinder 22.0.0 to 28.0.0 creates the target itself, an incremental is restored with
// stale data, without an error. Only the first command differs between the restore points of a volume.
func RestoreCommands(p RestorePoint) []string {
	commands := []string{RestoreBegin(p)}
	if !p.Gone {
		commands = append(commands, "TYPE=$(openstack volume show -f value -c type "+p.VolumeID+")")
	}
	return append(commands, intoNew(p.Zone != "")...)
}

// RestoreBegin returns the first command: it names the restore point.
func RestoreBegin(p RestorePoint) string {
	begin := fmt.Sprintf("BACKUP=%s SIZE=%d", p.BackupID, p.SizeGiB)
	if p.Zone != "" {
		begin += " ZONE=" + quoted(p.Zone)
	}
	return begin
}

// WithRestore returns the report with the commands that restore any of its backups, if it has backups.
func (r Report) WithRestore() Report {
	for _, p := range r.Projects {
		if len(p.Succeeded) > 0 {
			r.Restore = anyRestore()
			break
		}
	}
	return r
}

// anyRestore returns the same commands for any backup; the user sets BACKUP and VOLUME to their IDs.
func anyRestore() []string {
	return append([]string{
		"BACKUP=BACKUP_ID VOLUME=VOLUME_ID",
		`SIZE=$(openstack volume backup show -f value -c size "$BACKUP")`,
		`TYPE=$(openstack volume show -f value -c type "$VOLUME")`,
		`ZONE=$(openstack volume show -f value -c availability_zone "$VOLUME")`,
	}, intoNew(true)...)
}

// intoNew returns the commands that create the volume, wait for it and restore into it. If a value is missing, the command
// fails: with an empty or unknown ID the client would let Cinder create the volume.
func intoNew(zone bool) []string {
	where := ""
	if zone {
		where = ` --availability-zone "${ZONE:?}"`
	}
	return []string{
		`NEW=$(openstack volume create -f value -c id --size "${SIZE:?}" --type "${TYPE:?}"` + where + ` "restored-${BACKUP:?}")`,
		`while [ "$(openstack volume show -f value -c status "${NEW:?}")" = creating ]; do sleep 2; done`,
		`openstack volume backup restore --force "${BACKUP:?}" "${NEW:?}"`,
	}
}

// CommandLines returns commands for a shell, each in lines that fit into a terminal.
func CommandLines(commands []string) []string {
	var lines []string
	for _, c := range commands {
		for _, before := range []string{" -c type ", " --size ", " --availability-zone ", ` "restored-`, " = creating", " -c availability_zone "} {
			c = strings.Replace(c, before, " \\\n   "+before, 1)
		}
		lines = append(lines, strings.Split(c, "\n")...)
	}
	return lines
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9._:@-]+$`)

// quoted returns a word quoted for a shell.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
