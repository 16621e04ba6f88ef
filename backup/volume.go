package backup

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Project is a Keystone project.
type Project struct {
	ID, Name, DomainID string
	Enabled            bool
}

// A Server is a Nova instance; its metadata requests backups.
type Server struct {
	ID, Name, ProjectID string
	Status              string // status in Nova: ACTIVE, SHELVED_OFFLOADED, ...
	Metadata            map[string]string
	Volumes             []string // IDs of the volumes attached to it, as Nova reports
	// Partial reports that Nova returned only a part of it (its cell is down): its metadata and volumes are unknown.
	Partial bool
}

// ServerSoftDeleted is Nova's status of a deleted server that can be restored until it is reclaimed; Nova's lists
// don't show it.
const ServerSoftDeleted = "SOFT_DELETED"

// A Volume is a Cinder volume in one inventory.
type Volume struct {
	ID, Name  string
	ProjectID string
	Status    string // status in Cinder: available, in-use, backing-up, ...
	Zone      string // availability zone
	SizeGiB   int
	Encrypted bool
	Servers   []string // IDs of the servers that it is attached to, as Cinder reports
	Migration string   // Cinder's migration status during a migration or retype; else empty
}

// CanBeBackedUp reports whether Cinder accepts a backup (with force) of a volume in this status, and the volume is
// not being migrated.
func (v Volume) CanBeBackedUp() bool {
	return v.Migration == "" && (v.Status == "available" || v.Status == "in-use")
}

// transitionalStatuses are Cinder's statuses that end by themselves, or when the tenant's action ends: nothing is wrong with the
// volume.
var transitionalStatuses = []string{
	"creating", "downloading", "reserved", "attaching", "detaching", "maintenance", "retyping", "uploading", "extending",
	"backing-up", "restoring-backup", "awaiting-transfer", "deleting",
}

// errorBackingUp is the status in which Cinder leaves a volume when messages of an ended backup cross with a new one's: its
// manager notes it as the previous status, and its scheduler makes that the present one (Cinder 2026.1, seen after a restart of
// cinder-backup). Neither a backup nor anything else ends it.
const errorBackingUp = "error_backing-up"

// statusReason returns why no backup can be made of a volume that is not being changed.
func (v Volume) statusReason() Reason {
	if v.Status == errorBackingUp {
		return VolumeLeftInError
	}
	return VolumeStatus
}

// OfStatus reports whether r is about a status of the volume in which Cinder refuses a backup.
func (r Reason) OfStatus() bool { return r == VolumeStatus || r == VolumeLeftInError }

// Refusal returns the words for the record of a volume that can't be backed up.
func (v Volume) Refusal() string {
	return fmt.Sprintf("the volume's status is %q; backups are made of available and in-use volumes", v.Status)
}

// changing reports whether a backup is impossible only because the volume is being changed.
func (v Volume) changing() bool {
	return v.Migration != "" || slices.Contains(transitionalStatuses, v.Status)
}

// An Inventory is the result of listing the whole cloud once.
type Inventory struct {
	Projects []Project
	Servers  []Server
	Volumes  []Volume
	// Unseen names the lists that could not be read to the end ("servers: page 3: ..."); each entry begins with the
	// list's name and a colon. An object missing in such a list means nothing.
	Unseen []string
}

// Missed reports whether this list (projects, servers, volumes) is incomplete, or the roles could not be read.
func (i Inventory) Missed(list string) bool {
	return slices.ContainsFunc(i.Unseen, func(unseen string) bool { return strings.HasPrefix(unseen, list+":") })
}

// Complete reports whether every list was read to its end.
func (i Inventory) Complete() bool { return len(i.Unseen) == 0 }

// A Finding is something about one object that a tenant or an operator should know and that does not stop other
// backups.
type Finding struct {
	Reason    Reason
	ProjectID string
	Object    string // ID of the server, volume, project or backup; or another name
	// ObjectName is the object's name, where the one who found it knows it; else empty.
	ObjectName string
	VolumeID   string // volume that the finding, or its backup, is about; else empty
	Detail     string // details for people
}

// Grid returns the newest time of the grid at or before t. The grid is aligned to the epoch, so that every leader
// uses the same times.
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
