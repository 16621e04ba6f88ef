package cloudsim

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Backup is a copy of one backup, including what the API does not show.
type Backup struct {
	ID, Name, Description  string
	Volume, Project, User  string
	Status, FailReason     string
	SizeGiB                int
	Created, DataTimestamp time.Time // by Cinder's clock
	Asked                  time.Time // time of the request, by the cloud's clock
	Parent                 string    // empty for a full
	Metadata               map[string]string
	Encrypted              bool
	Content                int  // the version of the volume's content in it
	Restorable             bool // its data exists, down to its full
	Dependents             bool // the value of has_dependent_backups
}

// Volume is a copy of one volume.
type Volume struct {
	ID, Name, Project, Status string
	SizeGiB                   int
	Zone                      string
	Encrypted                 bool
	KeyExists                 bool // the secret of an encrypted volume exists
	Metadata                  map[string]string
	Servers                   []string // IDs of the servers that it is attached to
	Temporary                 bool     // made by Cinder during a backup
	Content                   int      // version of its content
	MigrationStatus           string   // "target:" and an ID for the target of a migration
}

// Server is a copy of one server.
type Server struct {
	ID, Name, Project, Status string
	Metadata                  map[string]string
	Volumes                   []string
}

// Backup returns one backup, and whether it exists.
func (c *Cloud) Backup(id string) (Backup, bool) {
	c.lock()
	defer c.mu.Unlock()
	b := c.backups.byID[id]
	if b == nil {
		return Backup{}, false
	}
	return c.copyBackup(b), true
}

func (c *Cloud) copyBackup(b *backup) Backup {
	return Backup{
		ID: b.ID, Name: b.Name, Description: b.Description, Volume: b.Volume, Project: b.Project, User: b.User, Status: b.Status,
		FailReason: b.FailReason, SizeGiB: b.Size, Created: b.Created, DataTimestamp: b.Data, Asked: b.requested, Parent: b.Parent, Metadata: maps.Clone(b.Metadata),
		Encrypted: b.KeyID != "", Content: b.content, Restorable: c.restorable(b), Dependents: b.dependents > 0,
	}
}

// Backups returns all backups, oldest data first.
func (c *Cloud) Backups() []Backup {
	c.lock()
	defer c.mu.Unlock()
	out := make([]Backup, 0, len(c.backups.byID))
	for _, b := range c.backups.byID {
		out = append(out, c.copyBackup(b))
	}
	sortBackups(out)
	return out
}

// BackupsOf returns the backups of one volume, oldest data first.
func (c *Cloud) BackupsOf(volumeID string) []Backup {
	c.lock()
	defer c.mu.Unlock()
	var out []Backup
	for _, b := range c.byVolume[volumeID] {
		out = append(out, c.copyBackup(b))
	}
	sortBackups(out)
	return out
}

func sortBackups(list []Backup) {
	slices.SortFunc(list, func(a, b Backup) int {
		if n := a.DataTimestamp.Compare(b.DataTimestamp); n != 0 {
			return n
		}
		return strings.Compare(a.ID, b.ID)
	})
}

// Volume returns one volume, and whether it exists.
func (c *Cloud) Volume(id string) (Volume, bool) {
	c.lock()
	defer c.mu.Unlock()
	v := c.volumes.byID[id]
	if v == nil {
		return Volume{}, false
	}
	return c.copyVolume(v), true
}

func (c *Cloud) copyVolume(v *volume) Volume {
	out := Volume{
		ID: v.ID, Name: v.Name, Project: v.Project, Status: v.Status, SizeGiB: v.Size, Zone: v.Zone, Encrypted: v.Encrypted,
		KeyExists: c.secrets[v.KeyID] != nil, Metadata: maps.Clone(v.Metadata), Temporary: v.temporary, Content: v.content, MigrationStatus: v.migration,
	}
	for _, a := range v.Attachments {
		out.Servers = append(out.Servers, a.Server)
	}
	return out
}

// Volumes returns all volumes by ID, including temporary ones.
func (c *Cloud) Volumes() []Volume {
	c.lock()
	defer c.mu.Unlock()
	out := make([]Volume, 0, len(c.volumes.byID))
	for _, v := range byKey(c.volumes.byID) {
		out = append(out, c.copyVolume(v))
	}
	return out
}

// Servers returns all servers by ID.
func (c *Cloud) Servers() []Server {
	c.lock()
	defer c.mu.Unlock()
	out := make([]Server, 0, len(c.servers.byID))
	for _, s := range byKey(c.servers.byID) {
		out = append(out, Server{s.ID, s.Name, s.Project, s.Status, maps.Clone(s.Metadata), slices.Clone(s.Volumes)})
	}
	return out
}

// Project returns the ID of the project with that name, in any domain; empty if there is none.
func (c *Cloud) Project(name string) string {
	c.lock()
	defer c.mu.Unlock()
	for _, p := range byKey(c.projects) {
		if p.Name == name {
			return p.ID
		}
	}
	return ""
}
