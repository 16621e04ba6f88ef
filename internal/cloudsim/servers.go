package cloudsim

import (
	"maps"
	"net/http"
	"time"
)

type server struct {
	ID, Name, Project, User, Status string
	Zone                            string
	Metadata                        map[string]string
	Volumes                         []string // attached, in the order of their devices
	Tags                            []string
	Created, Updated                time.Time
	deleteWith                      map[string]bool // volumes that are deleted with the server
	before                          string          // the status after an unshelve, a resize or a restore from soft deletion
	hiding                          Hiding
}

func computeRoutes() []route {
	r := func(method, path string, handle func(*Cloud, *call) response) route {
		return route{service: compute, method: method, template: "/compute/v2.1" + path, handle: handle}
	}
	return []route{
		r(http.MethodGet, "/servers", listServers(false)),
		r(http.MethodGet, "/servers/detail", listServers(true)),
		r(http.MethodPost, "/servers", createServer),
		r(http.MethodGet, "/servers/{server}", showServer),
		r(http.MethodDelete, "/servers/{server}", deleteServer),
		r(http.MethodGet, "/servers/{server}/metadata", showMetadata),
		r(http.MethodPut, "/servers/{server}/metadata", changeMetadata(true)),
		r(http.MethodPost, "/servers/{server}/metadata", changeMetadata(false)),
		r(http.MethodGet, "/servers/{server}/metadata/{key}", showMetadataItem),
		r(http.MethodPut, "/servers/{server}/metadata/{key}", setMetadataItem),
		r(http.MethodDelete, "/servers/{server}/metadata/{key}", deleteMetadataItem),
		r(http.MethodGet, "/servers/{server}/os-volume_attachments", listAttachments),
		r(http.MethodPost, "/servers/{server}/os-volume_attachments", attachVolume),
		r(http.MethodDelete, "/servers/{server}/os-volume_attachments/{volume}", detachVolume),
		r(http.MethodGet, "/flavors", listFlavors(false)),
		r(http.MethodGet, "/flavors/detail", listFlavors(true)),
	}
}

func (c *Cloud) touchServer(s *server) {
	s.Updated = c.second()
	c.servers.touches++
}

// visibleServer returns the server if the token may see it: admins see all servers, others those of their project.
func (c *Cloud) visibleServer(q *call) *server {
	s := c.servers.byID[q.vars["server"]]
	if s == nil || s.Project != q.tok.project && !q.admin {
		return nil
	}
	return s
}

func showServer(c *Cloud, q *call) response {
	s := c.visibleServer(q)
	if s == nil {
		return serverNotFound(q.vars["server"])
	}
	if a, struck := s.cellDown(q); struck {
		return a
	}
	return ok(map[string]any{"server": c.viewServer(q, s)})
}

type bootVolume struct {
	UUID                string `json:"uuid"`
	SourceType          string `json:"source_type"`
	DeleteOnTermination bool   `json:"delete_on_termination"`
}

// createServer boots only from volumes: this cloud has no images.
func createServer(c *Cloud, q *call) response {
	var in struct {
		Name             string            `json:"name"`
		Metadata         map[string]string `json:"metadata"`
		AvailabilityZone string            `json:"availability_zone"`
		Volumes          []bootVolume      `json:"block_device_mapping_v2"`
	}
	if a, good := q.decode("server", &in); !good {
		return a
	}
	if q.tok.project == "" {
		return serverFault()
	}
	var volumes []*volume
	for _, m := range in.Volumes {
		v := c.visibleVolume(q, m.UUID)
		switch {
		case v == nil:
			return badRequest("Block Device Mapping is Invalid: failed to get volume " + m.UUID + ".")
		case !c.attachable(v):
			return badRequest("Invalid volume: " + reserveRefusal(v))
		case len(volumes) == 0 && !v.Bootable:
			return badRequest("Block Device " + v.ID + " is not bootable.")
		}
		volumes = append(volumes, v)
	}
	s := c.newServer(q.tok.project, q.tok.user, in.Name, in.Metadata)
	s.Zone, s.Status = or(in.AvailabilityZone, defaultZone), "BUILD"
	for i, v := range volumes {
		s.deleteWith[v.ID] = in.Volumes[i].DeleteOnTermination
		c.attach(s, v)
	}
	c.after(c.opt.VolumeTime, func() {
		if s.Status == "BUILD" {
			s.Status = "ACTIVE"
			c.touchServer(s)
		}
	})
	return response{
		status: http.StatusAccepted,
		header: http.Header{"Location": {q.base + "/compute/v2.1/servers/" + s.ID}},
		body: map[string]any{"server": map[string]any{
			"id": s.ID, "links": q.links("servers", s.ID), "OS-DCF:diskConfig": "MANUAL", "adminPass": "simulated",
			"security_groups": []nameOnly{{"default"}},
		}},
	}
}

type nameOnly struct {
	Name string `json:"name"`
}

func (c *Cloud) newServer(projectID, userID, name string, metadata map[string]string) *server {
	s := &server{
		ID: c.ids.uuid(), Name: name, Project: projectID, User: userID, Status: "ACTIVE", Zone: defaultZone,
		Metadata: copied(metadata), Created: c.second(), Updated: c.second(), deleteWith: map[string]bool{},
	}
	c.servers.add(s)
	c.noteServer(s, "created "+name)
	return s
}

func copied(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	maps.Copy(out, m)
	return out
}

func deleteServer(c *Cloud, q *call) response {
	s := c.visibleServer(q)
	if s == nil {
		return serverNotFound(q.vars["server"])
	}
	c.dropServer(s)
	return response{status: http.StatusNoContent}
}

// dropServer deletes a server. It detaches its volumes, and deletes those that were attached with delete_on_termination.
func (c *Cloud) dropServer(s *server) {
	for _, id := range append([]string(nil), s.Volumes...) {
		v := c.volumes.byID[id]
		if v == nil {
			continue
		}
		c.detach(s, v)
		if s.deleteWith[id] && deletable(v) {
			c.dropVolume(v)
		}
	}
	c.servers.remove(s)
	c.note(Event{Kind: ServerGone, Server: s.ID, Project: s.Project})
}

var flavor = struct{ id, name string }{"00000000-0000-4000-8000-0000000000f1", "sim.nano"}

func listFlavors(detail bool) func(*Cloud, *call) response {
	return func(_ *Cloud, q *call) response {
		f := map[string]any{"id": flavor.id, "name": flavor.name, "links": q.links("flavors", flavor.id)}
		if detail {
			maps.Copy(f, map[string]any{
				"ram": 64, "disk": 0, "swap": "", "vcpus": 1, "rxtx_factor": 1.0,
				"OS-FLV-EXT-DATA:ephemeral": 0, "OS-FLV-DISABLED:disabled": false, "os-flavor-access:is_public": true,
			})
		}
		return ok(map[string]any{"flavors": []any{f}})
	}
}
