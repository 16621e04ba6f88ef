package cloudsim

import "slices"

// AddServer makes an active server without volumes and returns its ID.
func (c *Cloud) AddServer(projectID, name string, metadata map[string]string) string {
	c.lock()
	defer c.mu.Unlock()
	return c.newServer(projectID, "", name, metadata).ID
}

// SetMetadata sets one value of a server's metadata.
func (c *Cloud) SetMetadata(serverID, key, value string) {
	c.lock()
	defer c.mu.Unlock()
	s := mustFind(c.servers.byID, "server", serverID)
	s.Metadata[key] = value
	c.touchServer(s)
	c.noteServer(s, "metadata "+key)
}

// DeleteMetadata deletes one key of a server's metadata.
func (c *Cloud) DeleteMetadata(serverID, key string) {
	c.lock()
	defer c.mu.Unlock()
	s := mustFind(c.servers.byID, "server", serverID)
	delete(s.Metadata, key)
	c.touchServer(s)
	c.noteServer(s, "metadata "+key+" deleted")
}

// SetServerStatus sets a server's status in Nova, such as SHUTOFF.
func (c *Cloud) SetServerStatus(serverID, status string) {
	c.lock()
	defer c.mu.Unlock()
	s := mustFind(c.servers.byID, "server", serverID)
	s.Status = status
	c.touchServer(s)
	c.noteServer(s, "status "+status)
}

// SetTags sets a server's tags. Nova can filter by tags, but not by metadata.
func (c *Cloud) SetTags(serverID string, tags ...string) {
	c.lock()
	defer c.mu.Unlock()
	s := mustFind(c.servers.byID, "server", serverID)
	s.Tags = slices.Clone(tags)
	c.touchServer(s)
}

// DeleteServer deletes a server; its volumes are detached and kept.
func (c *Cloud) DeleteServer(serverID string) {
	c.lock()
	defer c.mu.Unlock()
	c.dropServer(mustFind(c.servers.byID, "server", serverID))
}

// Attach attaches a volume in any status. An available volume becomes in-use, at once or after the backup in progress.
func (c *Cloud) Attach(serverID, volumeID string) {
	c.lock()
	defer c.mu.Unlock()
	c.attach(mustFind(c.servers.byID, "server", serverID), mustFind(c.volumes.byID, "volume", volumeID))
}

// Detach detaches a volume in any status.
func (c *Cloud) Detach(serverID, volumeID string) {
	c.lock()
	defer c.mu.Unlock()
	c.detach(mustFind(c.servers.byID, "server", serverID), mustFind(c.volumes.byID, "volume", volumeID))
}
