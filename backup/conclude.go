package backup

import (
	"slices"
	"strings"
)

// CloudResponses are the cloud's responses by ID about objects that are missing in its lists. An object in none of them was
// not requested, or got no response.
type CloudResponses struct {
	Servers     map[string]Server
	Volumes     map[string]Volume
	GoneServers map[string]bool // 404 by ID, with verified admin rights
	GoneVolumes map[string]bool
	// Unconfirmed reports that more objects are missing than is plausible: no protection ends because of a missing
	// object, regardless of the responses.
	Unconfirmed bool
}

// Before is what earlier plans recorded about a volume in the project that owns it now.
type Before struct {
	Protected bool
	ServerID  string // server that protects the volume
	Detached  int    // plans in a row that saw the volume detached from that server
}

// detachedPlans is how many plans in a row must see a volume detached before its protection ends.
const detachedPlans = 2

// stable reports whether the volume is not being changed, so that an attachment that it does not show does not
// exist. In between (reserved, attaching, detaching, migrating, ...) Cinder shows none for a while.
func (v Volume) stable() bool {
	switch {
	case v.Migration != "":
		return false
	case v.Status == "in-use":
		return len(v.Servers) > 0 // it remains in-use for ever if its server was deleted during a backup
	}
	return v.Status == "available" || v.Status == "awaiting-transfer" || strings.HasPrefix(v.Status, "error")
}

// conclusion is what one inventory shows about one volume.
type conclusion struct {
	wish      Wish
	protected bool
	unknown   bool     // the previous state remains in force
	ended     Reason   // why its protection ended
	detached  int      // plans in a row that saw it detached
	missing   bool     // it is attached to a server that is missing in the list, or would end because it is shown as detached
	suspects  []string // servers whose response by ID would decide
}

// cloud is one inventory, prepared to decide about each volume.
type cloud struct {
	servers    map[string]serverMetadata // servers with complete data, by ID
	listed     map[string]bool           // IDs of the servers that the list has with complete data
	attachedTo map[string][]string       // servers that the volume is attached to by Nova's list, by volume ID
	responses  CloudResponses
	incomplete bool // the list of servers is incomplete: a missing server means nothing
}

// conclude decides about one volume. Protection begins and ends only by positive evidence: metadata of a server that
// Nova or Cinder shows as attached; a 404 by ID of the server that protects it; or Nova, Cinder and the volume's status
// showing it as detached in two plans. In all other cases the previous state remains in force.
func (c *cloud) conclude(v Volume, before Before) conclusion {
	end := conclusion{wish: Wish{Volume: v}}
	holders := append(slices.Clone(v.Servers), c.attachedTo[v.ID]...)
	var declined, deleted bool
	for i, id := range holders {
		if slices.Contains(holders[:i], id) {
			continue
		}
		j, known := c.servers[id]
		switch {
		case known && j.protects:
			end.protect(j)
		case known:
			declined = declined || id == before.ServerID
		case c.responses.GoneServers[id]:
			deleted = deleted || id == before.ServerID
		default:
			end.unknown = true
		}
		end.checkMissing(c, id, before)
	}
	left := false
	if before.Protected && !slices.Contains(holders, before.ServerID) {
		_, known := c.servers[before.ServerID]
		switch {
		case known:
			left = true
		case c.responses.GoneServers[before.ServerID]:
			deleted = true
		default:
			end.unknown = true
		}
		end.checkMissing(c, before.ServerID, before)
	}
	switch {
	case end.protected:
		end.wish.Unreadable = end.unknown || end.wish.Unreadable && end.wish.Retention == nil
		end.unknown = false
	case end.unknown || !before.Protected:
	case declined:
		end.ended = EndMetadata
	case deleted && c.responses.Unconfirmed:
		end.unknown = true
	case deleted:
		end.ended = EndServerDeleted
	case left && v.stable():
		end.countDetached(before.Detached+1, c.responses.Unconfirmed)
	default:
		end.unknown = true
	}
	return end
}

func (e *conclusion) protect(j serverMetadata) {
	if !e.protected || j.server.ID < e.wish.Server.ID {
		e.wish.Server = j.server
	}
	e.protected = true
	e.wish.add(j)
}

// countDetached counts one more plan that saw the volume detached.
func (e *conclusion) countDetached(plans int, unconfirmed bool) {
	e.missing = plans >= detachedPlans
	if e.missing && !unconfirmed {
		e.ended, e.detached = EndDetached, 0
		return
	}
	e.unknown, e.detached = true, min(plans, detachedPlans-1)
}

// checkMissing records a server that is missing in the list, if protection would be lost by that.
func (e *conclusion) checkMissing(c *cloud, id string, before Before) {
	if !before.Protected || c.listed[id] || c.incomplete {
		return
	}
	if s, ok := c.responses.Servers[id]; !ok || s.Status != ServerSoftDeleted {
		e.missing = true // no list shows soft-deleted servers: that explains why it is missing
	}
	if _, known := c.servers[id]; !known && !c.responses.GoneServers[id] {
		e.suspects = append(e.suspects, id)
	}
}

func newCloud(inv Inventory, keys Keys, responses CloudResponses) *cloud {
	c := &cloud{
		servers: make(map[string]serverMetadata, len(inv.Servers)), listed: make(map[string]bool, len(inv.Servers)),
		attachedTo: map[string][]string{}, responses: responses, incomplete: inv.Missed("servers"),
	}
	for _, s := range inv.Servers {
		if !s.Partial {
			c.listed[s.ID] = true
			c.addServer(s, keys)
		}
	}
	for _, s := range responses.Servers {
		if !s.Partial && !c.listed[s.ID] {
			c.addServer(s, keys)
		}
	}
	return c
}

func (c *cloud) addServer(s Server, keys Keys) {
	c.servers[s.ID] = readMetadata(s, keys)
	for _, v := range s.Volumes {
		c.attachedTo[v] = append(c.attachedTo[v], s.ID)
	}
}
