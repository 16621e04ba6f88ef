package cloudsim

import "slices"

// Shelve shelves a server and offloads it. The server keeps its volumes, but in Cinder they are reserved and have no attachment.
func (c *Cloud) Shelve(serverID string) {
	c.disconnectVolumes(serverID, "SHELVED_OFFLOADED", "reserved")
}

// Unshelve unshelves a server.
func (c *Cloud) Unshelve(serverID string) { c.reconnectVolumes(serverID) }

// BeginResize begins a resize, a cold migration or an evacuation: the server's volumes have this status, such as reserved,
// attaching or detaching, and no attachment.
func (c *Cloud) BeginResize(serverID, volumeStatus string) {
	c.disconnectVolumes(serverID, "RESIZE", volumeStatus)
}

// EndResize ends the resize: the volumes are attached, and the server has its earlier status.
func (c *Cloud) EndResize(serverID string) { c.reconnectVolumes(serverID) }

// disconnectVolumes disconnects a server's volumes in Cinder; the server keeps them.
func (c *Cloud) disconnectVolumes(serverID, status, volumeStatus string) {
	c.lock()
	defer c.mu.Unlock()
	s := mustFind(c.servers.byID, "server", serverID)
	s.changeStatus(status)
	c.touchServer(s)
	c.noteServer(s, "status "+status)
	for _, id := range s.Volumes {
		if v := c.volumes.byID[id]; v != nil {
			c.disconnect(s, v, volumeStatus)
		}
	}
}

// changeStatus changes the status and stores the old one for reconnectVolumes.
func (s *server) changeStatus(status string) {
	if s.before == "" {
		s.before = s.Status
	}
	s.Status = status
}

func (c *Cloud) reconnectVolumes(serverID string) {
	c.lock()
	defer c.mu.Unlock()
	s := mustFind(c.servers.byID, "server", serverID)
	s.Status, s.before = or(s.before, "ACTIVE"), ""
	c.touchServer(s)
	c.noteServer(s, "status "+s.Status)
	for n, id := range s.Volumes {
		v := c.volumes.byID[id]
		if v == nil || slices.ContainsFunc(v.Attachments, func(a attachment) bool { return a.Server == s.ID }) {
			continue
		}
		v.Attachments = append(v.Attachments, attachment{ID: c.ids.uuid(), Server: s.ID, Device: deviceName(n), At: c.cinderSecond()})
		v.detachedStatus = ""
		c.setVolumeIfIdle(v, "in-use")
	}
}

// disconnect removes an attachment from Cinder while the server still has the volume.
func (c *Cloud) disconnect(s *server, v *volume, status string) {
	v.Attachments = slices.DeleteFunc(v.Attachments, func(a attachment) bool { return a.Server == s.ID })
	if len(v.Attachments) > 0 { // other servers are attached
		return
	}
	v.detachedStatus = status
	c.setVolumeIfIdle(v, status)
}

// setVolumeIfIdle sets a status, unless a backup is running: the end of the backup sets it.
func (c *Cloud) setVolumeIfIdle(v *volume, status string) {
	if v.Status == "backing-up" {
		return
	}
	c.setVolume(v, status)
}

// DropAttachments removes every attachment of a volume from Cinder and sets the volume's status. The servers still list it.
func (c *Cloud) DropAttachments(volumeID, status string) {
	c.lock()
	defer c.mu.Unlock()
	v := mustFind(c.volumes.byID, "volume", volumeID)
	v.Attachments, v.detachedStatus = nil, status
	c.setVolumeIfIdle(v, status)
}

// HideServer makes a server unreachable, as if its cell were down. At most one Hiding counts; none is HiddenFromLists.
func (c *Cloud) HideServer(serverID string, how ...Hiding) {
	h := HiddenFromLists
	if len(how) > 0 {
		h = how[0]
	}
	c.hide(serverID, h)
}

// ShowServer reverts HideServer.
func (c *Cloud) ShowServer(serverID string) { c.hide(serverID, notHidden) }

func (c *Cloud) hide(serverID string, how Hiding) {
	c.lock()
	defer c.mu.Unlock()
	s := mustFind(c.servers.byID, "server", serverID)
	s.hiding = how
	c.noteServer(s, "hidden: "+boolText(how != notHidden))
}

// SoftDelete deletes a server with deferred reclaim: no list shows it, by ID its status is SOFT_DELETED, and its volumes remain
// attached.
func (c *Cloud) SoftDelete(serverID string) {
	c.lock()
	defer c.mu.Unlock()
	s := mustFind(c.servers.byID, "server", serverID)
	s.changeStatus(softDeleted)
	c.touchServer(s)
	c.noteServer(s, "status "+softDeleted)
}

// Restore restores a soft-deleted server.
func (c *Cloud) Restore(serverID string) { c.reconnectVolumes(serverID) }

// Reclaim deletes a soft-deleted server for good; its volumes are detached.
func (c *Cloud) Reclaim(serverID string) { c.DeleteServer(serverID) }
