package cloudsim

import "slices"

// Shelve shelves a server and offloads it: it has its volumes still, but Cinder says reserved and shows no attachment.
func (c *Cloud) Shelve(serverID string) {
	c.away(serverID, "SHELVED_OFFLOADED", "reserved")
}

// Unshelve brings a shelved server back.
func (c *Cloud) Unshelve(serverID string) { c.back(serverID) }

// BeginResize begins a resize, a cold migration or an evacuation: the server's volumes have this status, such as reserved,
// attaching or detaching, and no attachment.
func (c *Cloud) BeginResize(serverID, volumeStatus string) {
	c.away(serverID, "RESIZE", volumeStatus)
}

// EndResize ends it: the volumes are attached, and the server has its earlier status.
func (c *Cloud) EndResize(serverID string) { c.back(serverID) }

// away disconnects a server's volumes, which it keeps.
func (c *Cloud) away(serverID, status, volumeStatus string) {
	c.lock()
	defer c.mu.Unlock()
	s := must(c.servers.byID, "server", serverID)
	s.leave(status)
	c.touchServer(s)
	c.noteServer(s, "status "+status)
	for _, id := range s.Volumes {
		if v := c.volumes.byID[id]; v != nil {
			c.disconnect(s, v, volumeStatus)
		}
	}
}

// leave changes a status that is to be come back to.
func (s *server) leave(status string) {
	if s.before == "" {
		s.before = s.Status
	}
	s.Status = status
}

func (c *Cloud) back(serverID string) {
	c.lock()
	defer c.mu.Unlock()
	s := must(c.servers.byID, "server", serverID)
	s.Status, s.before = or(s.before, "ACTIVE"), ""
	c.touchServer(s)
	c.noteServer(s, "status "+s.Status)
	for n, id := range s.Volumes {
		v := c.volumes.byID[id]
		if v == nil || slices.ContainsFunc(v.Attachments, func(a attachment) bool { return a.Server == s.ID }) {
			continue
		}
		v.Attachments = append(v.Attachments, attachment{ID: c.ids.uuid(), Server: s.ID, Device: deviceName(n), At: c.cinderSecond()})
		v.held = ""
		c.rest(v, "in-use")
	}
}

// disconnect takes an attachment out of Cinder while the server still has the volume.
func (c *Cloud) disconnect(s *server, v *volume, status string) {
	v.Attachments = slices.DeleteFunc(v.Attachments, func(a attachment) bool { return a.Server == s.ID })
	if len(v.Attachments) > 0 { // of other servers
		return
	}
	v.held = status
	c.rest(v, status)
}

// rest sets a status, or keeps it for the end of the backup that is running.
func (c *Cloud) rest(v *volume, status string) {
	if v.Status == "backing-up" {
		return
	}
	c.setVolume(v, status)
}

// DropAttachments takes every attachment of a volume out of Cinder, and sets its status; the servers still list it.
func (c *Cloud) DropAttachments(volumeID, status string) {
	c.lock()
	defer c.mu.Unlock()
	v := must(c.volumes.byID, "volume", volumeID)
	v.Attachments, v.held = nil, status
	c.rest(v, status)
}

// HideServer takes a server out of reach, as when its cell is down. At most one Hiding counts; none is HiddenFromLists.
func (c *Cloud) HideServer(serverID string, how ...Hiding) {
	h := HiddenFromLists
	if len(how) > 0 {
		h = how[0]
	}
	c.hide(serverID, h)
}

// ShowServer takes HideServer back.
func (c *Cloud) ShowServer(serverID string) { c.hide(serverID, notHidden) }

func (c *Cloud) hide(serverID string, how Hiding) {
	c.lock()
	defer c.mu.Unlock()
	s := must(c.servers.byID, "server", serverID)
	s.hiding = how
	c.noteServer(s, "hidden: "+boolText(how != notHidden))
}

// SoftDelete deletes a server where Nova reclaims later: no list shows it, its ID answers with SOFT_DELETED, and its volumes
// stay attached.
func (c *Cloud) SoftDelete(serverID string) {
	c.lock()
	defer c.mu.Unlock()
	s := must(c.servers.byID, "server", serverID)
	s.leave(softDeleted)
	c.touchServer(s)
	c.noteServer(s, "status "+softDeleted)
}

// Restore brings a server back that was soft-deleted.
func (c *Cloud) Restore(serverID string) { c.back(serverID) }

// Reclaim ends a server that was soft-deleted; its volumes are detached.
func (c *Cloud) Reclaim(serverID string) { c.DeleteServer(serverID) }
