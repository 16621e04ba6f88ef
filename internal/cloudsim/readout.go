package cloudsim

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Backup is a copy of one backup, with what the API does not tell.
type Backup struct {
	ID, Name, Description  string
	Volume, Project, User  string
	Status, FailReason     string
	SizeGiB                int
	Created, DataTimestamp time.Time // by Cinder's clock
	Asked                  time.Time // when it was asked for, by the cloud's clock
	Parent                 string    // empty for a full
	Metadata               map[string]string
	Encrypted              bool
	Content                int  // the version of the volume's content that it holds
	Restorable             bool // its data is there, down to its full
	Dependents             bool // what has_dependent_backups says
}

// Volume is a copy of one volume.
type Volume struct {
	ID, Name, Project, Status string
	SizeGiB                   int
	Zone                      string
	Encrypted                 bool
	KeyExists                 bool // the secret that an encrypted volume names is there
	Metadata                  map[string]string
	Servers                   []string // attached to
	Temporary                 bool     // made by Cinder for the time of a backup
	Content                   int      // version of its content
	MigrationStatus           string   // "target:" and an ID for the copy that a migration makes
}

// Server is a copy of one server.
type Server struct {
	ID, Name, Project, Status string
	Metadata                  map[string]string
	Volumes                   []string
}

// Backup tells of one backup, and whether there is such a one.
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
		FailReason: b.FailReason, SizeGiB: b.Size, Created: b.Created, DataTimestamp: b.Data, Asked: b.asked, Parent: b.Parent, Metadata: maps.Clone(b.Metadata),
		Encrypted: b.KeyID != "", Content: b.content, Restorable: c.restorable(b), Dependents: b.dependents > 0,
	}
}

// Backups tells of all backups, oldest data first.
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

// BackupsOf tells of the backups of one volume, oldest data first.
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

// Volume tells of one volume, and whether there is such a one.
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

// Volumes tells of all volumes by ID, temporary ones included.
func (c *Cloud) Volumes() []Volume {
	c.lock()
	defer c.mu.Unlock()
	out := make([]Volume, 0, len(c.volumes.byID))
	for _, v := range byKey(c.volumes.byID) {
		out = append(out, c.copyVolume(v))
	}
	return out
}

// Servers tells of all servers by ID.
func (c *Cloud) Servers() []Server {
	c.lock()
	defer c.mu.Unlock()
	out := make([]Server, 0, len(c.servers.byID))
	for _, s := range byKey(c.servers.byID) {
		out = append(out, Server{s.ID, s.Name, s.Project, s.Status, maps.Clone(s.Metadata), slices.Clone(s.Volumes)})
	}
	return out
}

// Project tells the ID of the project with that name, in any domain; empty when there is none.
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
