package cloudsim

import (
	"net/http"
	"slices"
	"strings"
)

type volumeAttachment struct {
	ID       string `json:"id"`
	ServerID string `json:"serverId"`
	VolumeID string `json:"volumeId"`
	Device   string `json:"device"`
}

// attachable reports whether a volume may be attached. While it is backed up it may be neither attached nor detached.
func (c *Cloud) attachable(v *volume) bool {
	return v.Status == "available" || v.Multiattach && v.Status == "in-use"
}

func reserveRefusal(v *volume) string {
	return "Volume " + v.ID + " status must be available or downloading to reserve, but the current status is " + v.Status + "."
}

// attach is the common work of Nova and Cinder. The caller checks the rules.
func (c *Cloud) attach(s *server, v *volume) string {
	device := deviceName(len(s.Volumes))
	v.Attachments = append(v.Attachments, attachment{ID: c.ids.uuid(), Server: s.ID, Device: device, At: c.cinderSecond()})
	s.Volumes = append(s.Volumes, v.ID)
	v.detachedStatus = ""
	if v.Status == "available" {
		c.setVolume(v, "in-use")
	}
	c.touchServer(s)
	c.note(Event{Kind: VolumeChanged, Volume: v.ID, Server: s.ID, Project: v.Project, Detail: "attached"})
	return device
}

func deviceName(n int) string { return "/dev/sd" + string(rune('a'+n%26)) }

func (c *Cloud) detach(s *server, v *volume) {
	v.Attachments = slices.DeleteFunc(v.Attachments, func(a attachment) bool { return a.Server == s.ID })
	s.Volumes = slices.DeleteFunc(s.Volumes, func(id string) bool { return id == v.ID })
	if t := c.volumes.byID[v.target]; t != nil {
		t.Attachments = slices.DeleteFunc(t.Attachments, func(a attachment) bool { return a.Server == s.ID })
	}
	v.detachedStatus = ""
	if attachedStates[v.Status] && len(v.Attachments) == 0 {
		c.setVolume(v, "available")
	}
	c.touchServer(s)
	c.note(Event{Kind: VolumeChanged, Volume: v.ID, Server: s.ID, Project: v.Project, Detail: "detached"})
}

// attachedStates are the statuses of a volume that a server has, connected or not. They end when the volume is detached.
var attachedStates = map[string]bool{"in-use": true, "reserved": true, "attaching": true, "detaching": true}

func listAttachments(c *Cloud, q *call) response {
	s := c.visibleServer(q)
	if s == nil {
		return serverNotFound(q.vars["server"])
	}
	out := []volumeAttachment{}
	for _, id := range s.Volumes {
		v := c.volumes.byID[id]
		if v == nil {
			continue
		}
		device := ""
		for _, a := range v.Attachments {
			if a.Server == s.ID {
				device = a.Device
			}
		}
		out = append(out, volumeAttachment{id, s.ID, id, device}) // Nova's own record, independent of Cinder's
	}
	return ok(map[string]any{"volumeAttachments": out})
}

func attachVolume(c *Cloud, q *call) response {
	var in struct {
		VolumeID string `json:"volumeId"`
	}
	if a, good := q.decode("volumeAttachment", &in); !good {
		return a
	}
	s := c.visibleServer(q)
	v := c.visibleVolume(q, in.VolumeID)
	switch {
	case s == nil:
		return serverNotFound(q.vars["server"])
	case v == nil:
		return volumeNotFound(in.VolumeID)
	case len(v.Attachments) > 0 && !v.Multiattach:
		var servers []string
		for _, a := range v.Attachments {
			servers = append(servers, a.Server)
		}
		return badRequest("Invalid volume: volume " + v.ID + " is already attached to instances: " + strings.Join(servers, ", "))
	case !c.attachable(v):
		return badRequest("Invalid input received: Invalid volume: " + reserveRefusal(v) + " (HTTP 400)")
	}
	device := c.attach(s, v)
	return ok(map[string]any{"volumeAttachment": volumeAttachment{v.ID, s.ID, v.ID, device}})
}

func detachVolume(c *Cloud, q *call) response {
	s := c.visibleServer(q)
	if s == nil {
		return serverNotFound(q.vars["server"])
	}
	v := c.visibleVolume(q, q.vars["volume"])
	switch {
	case v == nil:
		return volumeNotFound(q.vars["volume"])
	case !slices.Contains(s.Volumes, v.ID):
		return notFound("Instance " + s.ID + " is not attached to volume " + v.ID)
	case v.Status != "in-use":
		return badRequest("Invalid input received: Invalid volume: Unable to detach volume. Volume status must be 'in-use' and " +
			"attach_status must be 'attached' to detach. (HTTP 400)")
	}
	c.detach(s, v)
	return response{status: http.StatusAccepted}
}
