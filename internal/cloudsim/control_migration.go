package cloudsim

import (
	"maps"
	"slices"
)

// targetPrefix is the beginning of the migration_status of a migration's target volume.
const targetPrefix = "target:"

// BeginMigration begins to copy a volume to another backend and returns the ID of the target: a second volume with the same
// name, attached to the same servers in Cinder, although no server lists it. The volume keeps its status; its
// migration_status is starting.
func (c *Cloud) BeginMigration(volumeID string) string {
	c.lock()
	defer c.mu.Unlock()
	return c.beginMigration(mustFind(c.volumes.byID, "volume", volumeID)).ID
}

func (c *Cloud) beginMigration(v *volume) *volume {
	t := &volume{
		ID: c.ids.uuid(), Name: v.Name, Description: v.Description, Project: v.Project, User: v.User, Status: v.Status, Size: v.Size, Zone: v.Zone,
		Encrypted: v.Encrypted, Multiattach: v.Multiattach, Bootable: v.Bootable, Metadata: maps.Clone(v.Metadata),
		Created: c.cinderSecond(), Updated: c.cinderSecond(), content: v.content, migration: targetPrefix + v.ID,
	}
	for _, a := range v.Attachments {
		t.Attachments = append(t.Attachments, attachment{ID: c.ids.uuid(), Server: a.Server, Device: a.Device, At: c.cinderSecond()})
	}
	c.volumes.add(t)
	c.noteVolume(t, "created, "+t.migration)
	v.target = t.ID
	c.setMigration(v, "starting")
	return t
}

func (c *Cloud) setMigration(v *volume, status string) {
	v.migration, v.Updated = status, c.cinderSecond()
	c.volumes.touches++
	c.noteVolume(v, "migration_status "+status)
}

// SetMigrationStatus sets the migration_status, such as migrating or completing, with or without a migration; empty is none.
func (c *Cloud) SetMigrationStatus(volumeID, status string) {
	c.lock()
	defer c.mu.Unlock()
	c.setMigration(mustFind(c.volumes.byID, "volume", volumeID), status)
}

// EndMigration ends a migration: the target is deleted, and the migration_status of the volume, which keeps its ID, is success
// or error.
func (c *Cloud) EndMigration(volumeID string, well bool) {
	c.lock()
	defer c.mu.Unlock()
	c.endMigration(mustFind(c.volumes.byID, "volume", volumeID), well)
}

func (c *Cloud) endMigration(v *volume, well bool) {
	if t := c.volumes.byID[v.target]; t != nil {
		c.dropVolume(t)
	}
	v.target = ""
	status := "error"
	if well {
		status = "success"
	}
	c.setMigration(v, status)
}

// BeginRetype begins to change a volume's type: its status is retyping. With a migration it is copied as by BeginMigration,
// and the ID of the target is returned.
func (c *Cloud) BeginRetype(volumeID string, migrate bool) string {
	c.lock()
	defer c.mu.Unlock()
	v := mustFind(c.volumes.byID, "volume", volumeID)
	v.previous = v.Status
	target := ""
	if migrate {
		target = c.beginMigration(v).ID
	}
	c.setVolume(v, "retyping")
	return target
}

// EndRetype ends a retype successfully.
func (c *Cloud) EndRetype(volumeID string) {
	c.lock()
	defer c.mu.Unlock()
	v := mustFind(c.volumes.byID, "volume", volumeID)
	if v.target != "" {
		c.endMigration(v, true)
	}
	c.setVolume(v, c.statusAfterBackup(v, v.previous))
}

// PurgeProject deletes all resources of a project, backups first and regardless of dependents, and then the project itself.
func (c *Cloud) PurgeProject(projectID string) {
	c.lock()
	defer c.mu.Unlock()
	p := mustFind(c.projects, "project", projectID)
	for _, b := range byKey(c.backups.byProject[projectID]) {
		if b.making != nil {
			c.ended(b.making)
			c.returnVolume(b.making)
			b.making = nil
		}
		b.dataGone = true
		c.dropSecretOf(b)
		c.destroy(b)
	}
	for _, s := range byKey(c.servers.byProject[projectID]) {
		c.dropServer(s)
	}
	for _, v := range slices.Clone(byKey(c.volumes.byProject[projectID])) {
		c.dropVolume(v)
	}
	c.removeProject(p)
}

func (c *Cloud) dropSecretOf(b *backup) {
	if b.KeyID != "" {
		c.dropSecret(b.KeyID, Event{Backup: b.ID, Project: b.Project})
	}
}
