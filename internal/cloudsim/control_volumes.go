package cloudsim

import (
	"maps"
)

// VolumeOptions are the optional properties of a volume.
type VolumeOptions struct {
	User        string // the creator; empty: no user
	Zone        string // empty: "nova"
	Encrypted   bool   // of the type luks, with a secret in its project
	Multiattach bool
	Bootable    bool
	Metadata    map[string]string
}

// AddVolume makes an available volume and returns its ID. At most one VolumeOptions counts.
func (c *Cloud) AddVolume(projectID, name string, sizeGiB int, opts ...VolumeOptions) string {
	c.lock()
	defer c.mu.Unlock()
	return c.addVolume(projectID, name, sizeGiB, opts...).ID
}

func (c *Cloud) addVolume(projectID, name string, sizeGiB int, opts ...VolumeOptions) *volume {
	var o VolumeOptions
	if len(opts) > 0 {
		o = opts[0]
	}
	v := &volume{
		ID: c.ids.uuid(), Name: name, Project: projectID, User: o.User, Status: "available", Size: sizeGiB, Zone: or(o.Zone, defaultZone),
		Encrypted: o.Encrypted, Multiattach: o.Multiattach, Bootable: o.Bootable, Metadata: maps.Clone(o.Metadata),
		Created: c.cinderSecond(), Updated: c.cinderSecond(), content: 1,
	}
	if o.Encrypted {
		v.KeyID = c.newSecret(projectID)
	}
	c.volumes.add(v)
	c.noteVolume(v, "created "+name)
	return v
}

// DeleteVolume deletes a volume in any status. Its backups remain.
func (c *Cloud) DeleteVolume(volumeID string) {
	c.lock()
	defer c.mu.Unlock()
	v := mustFind(c.volumes.byID, "volume", volumeID)
	for _, a := range append([]attachment(nil), v.Attachments...) {
		if s := c.servers.byID[a.Server]; s != nil {
			c.detach(s, v)
		}
	}
	c.dropVolume(v)
}

// Extend makes a volume larger, attached or not.
func (c *Cloud) Extend(volumeID string, sizeGiB int) {
	c.lock()
	defer c.mu.Unlock()
	v := mustFind(c.volumes.byID, "volume", volumeID)
	v.Size, v.Updated = sizeGiB, c.cinderSecond()
	c.volumes.touches++
	c.noteVolume(v, "extended")
}

// TransferVolume moves a volume to another project. Its backups remain in the old one.
func (c *Cloud) TransferVolume(volumeID, projectID string) {
	c.lock()
	defer c.mu.Unlock()
	v := mustFind(c.volumes.byID, "volume", volumeID)
	c.volumes.remove(v)
	v.Project, v.Updated = projectID, c.cinderSecond()
	c.volumes.add(v)
	c.noteVolume(v, "transferred")
}

// SetVolumeStatus sets a volume's status in Cinder.
func (c *Cloud) SetVolumeStatus(volumeID, status string) {
	c.lock()
	defer c.mu.Unlock()
	c.setVolume(mustFind(c.volumes.byID, "volume", volumeID), status)
}

// WriteVolume simulates a write of the guest: the content gets a new version, which is returned.
func (c *Cloud) WriteVolume(volumeID string) int {
	c.lock()
	defer c.mu.Unlock()
	v := mustFind(c.volumes.byID, "volume", volumeID)
	v.content++
	c.noteVolume(v, "written, content "+itoa(v.content))
	return v.content
}

// DeleteSecret deletes the key of a volume without Cinder's knowledge.
func (c *Cloud) DeleteSecret(volumeID string) {
	c.lock()
	defer c.mu.Unlock()
	v := mustFind(c.volumes.byID, "volume", volumeID)
	c.dropSecret(v.KeyID, Event{Volume: v.ID, Project: v.Project})
}

// DeleteSecretOf deletes the key of a backup without Cinder's knowledge, as a user of the project may in Barbican.
func (c *Cloud) DeleteSecretOf(backupID string) {
	c.lock()
	defer c.mu.Unlock()
	c.dropSecretOf(mustFind(c.backups.byID, "backup", backupID))
}

// RestoreSecretOf restores the key of a backup, as a restore of Barbican's database does.
func (c *Cloud) RestoreSecretOf(backupID string) {
	c.lock()
	defer c.mu.Unlock()
	b := mustFind(c.backups.byID, "backup", backupID)
	c.secrets[b.KeyID] = &secret{b.KeyID, c.keyProject(b)}
}
