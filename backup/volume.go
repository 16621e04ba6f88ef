package backup

import (
	"slices"
	"strings"
	"time"
)

// A Project is a Keystone project.
type Project struct {
	ID, Name, DomainID string
	Enabled            bool
}

// A Server is a Nova instance; its metadata carries the wish to be backed up.
type Server struct {
	ID, Name, ProjectID string
	Status              string // Nova's: ACTIVE, SHELVED_OFFLOADED, ...
	Metadata            map[string]string
	Volumes             []string // IDs of the volumes that Nova calls attached to it
	// Partial says that Nova gave only a part of it (its cell is down): it says
	// nothing about wishes and volumes.
	Partial bool
}

// ServerSoftDeleted is Nova's status of a server that can come back until it is
// reclaimed; its lists don't show it.
const ServerSoftDeleted = "SOFT_DELETED"

// A Volume is a Cinder volume as one look at the cloud showed it.
type Volume struct {
	ID, Name  string
	ProjectID string
	Status    string // Cinder's own word: available, in-use, backing-up, ...
	Zone      string // availability zone
	SizeGiB   int
	Encrypted bool
	Servers   []string // IDs of the servers that Cinder calls it attached to
	Migration string   // Cinder's migration status while a migration or retype is under way; else empty
}

// CanBeBackedUp tells whether Cinder accepts a backup (with force) of a volume
// in this status, and none of its data is on the move.
func (v Volume) CanBeBackedUp() bool {
	return v.Migration == "" && (v.Status == "available" || v.Status == "in-use")
}

// inBetween are the statuses of Cinder that pass by themselves, or with what
// the tenant is doing: nothing is wrong with the volume.
var inBetween = []string{
	"creating", "downloading", "reserved", "attaching", "detaching", "maintenance", "retyping", "uploading", "extending",
	"backing-up", "restoring-backup", "awaiting-transfer", "deleting",
}

// changing reports whether no backup can be made only because the volume is
// being changed.
func (v Volume) changing() bool {
	return v.Migration != "" || slices.Contains(inBetween, v.Status)
}

// An Inventory is one look at the whole cloud.
type Inventory struct {
	Projects []Project
	Servers  []Server
	Volumes  []Volume
	// Unseen names what could not be read ("servers: page 3: ..."); each begins
	// with the name of the list, and a colon. What such a list lacks means nothing.
	Unseen []string
}

// Missed tells whether the list of that name (projects, servers, volumes)
// broke off, or the roles could not be looked at.
func (i Inventory) Missed(list string) bool {
	return slices.ContainsFunc(i.Unseen, func(unseen string) bool { return strings.HasPrefix(unseen, list+":") })
}

// Complete tells whether the end of every list was reached.
func (i Inventory) Complete() bool { return len(i.Unseen) == 0 }

// A Finding is something that a tenant or an operator should know about one
// object and that stops nobody else's backups.
type Finding struct {
	Reason    Reason
	ProjectID string
	Object    string // ID of the server, volume, project or backup; or what else it is about
	VolumeID  string // where it is about a backup of one, or about one; else empty
	Detail    string // what was seen, for people
}

// Grid returns the newest beat of the grid at or before t. Beats are
// epoch-aligned, so that every leader has the same ones.
func Grid(t time.Time, period time.Duration) time.Time {
	if period <= 0 {
		return t.UTC()
	}
	past := t.UnixNano() % int64(period)
	if past < 0 {
		past += int64(period)
	}
	return t.Round(0).Add(-time.Duration(past)).UTC()
}
