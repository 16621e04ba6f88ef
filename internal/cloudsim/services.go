package cloudsim

import (
	"slices"
	"time"
)

type serviceView struct {
	Binary   string  `json:"binary"`
	Host     string  `json:"host"`
	Zone     string  `json:"zone"`
	Status   string  `json:"status"`
	State    string  `json:"state"`
	Updated  *string `json:"updated_at"`
	Disabled *string `json:"disabled_reason"`
}

// listServices handles GET /os-services, which is for admins only.
func listServices(c *Cloud, q *call) response {
	if !q.admin {
		return notAllowed("volume_extension:services:index")
	}
	state, seen := "up", c.at
	if !c.backupUp {
		state, seen = "down", c.backupSeen
	}
	out, services := []serviceView{}, []serviceView{
		{Binary: "cinder-volume", Host: host + "@" + host, State: "up", Updated: stamp(c.cinderSecond())},
		{Binary: "cinder-scheduler", Host: host, State: "up", Updated: stamp(c.cinderSecond())},
	}
	backup := serviceView{Binary: "cinder-backup", Host: host, State: state, Updated: stamp(seen.Add(c.skew).Truncate(time.Second))}
	for n, zone := range c.zones {
		backup.Zone = zone
		if n > 0 {
			backup.Host = host + "-" + zone
		}
		services = append(services, backup)
	}
	if len(c.zones) == 0 {
		services = slices.Insert(services, 0, backup)
	}
	for _, s := range services {
		if lacks(q, "binary", s.Binary) || lacks(q, "host", s.Host) {
			continue
		}
		s.Zone, s.Status = or(s.Zone, defaultZone), "enabled"
		out = append(out, s)
	}
	return ok(map[string]any{"services": out})
}

// message is a user message of Cinder about a request that failed after it was accepted.
type message struct {
	ID, Project, Backup, Request, Event, Text string
	At                                        time.Time
}

func (c *Cloud) addMessage(projectID, backupID, event, text string) {
	c.messages = append(c.messages, message{c.ids.uuid(), projectID, backupID, "req-" + c.ids.uuid(), event, text, c.cinderSecond()})
}

func listMessages(c *Cloud, q *call) response {
	if q.minor < 3 {
		return notFound("The resource could not be found.")
	}
	out := []map[string]any{}
	for _, m := range slices.Backward(c.messages) {
		if m.Project != q.tok.project || lacks(q, "resource_uuid", m.Backup) || lacks(q, "event_id", m.Event) {
			continue
		}
		out = append(out, map[string]any{
			"id": m.ID, "event_id": m.Event, "user_message": m.Text, "message_level": "ERROR", "request_id": m.Request,
			"resource_type": "VOLUME_BACKUP", "resource_uuid": m.Backup, "created_at": stamp(m.At),
			"guaranteed_until": stamp(m.At.Add(30 * 24 * time.Hour)), "links": q.links("messages", m.ID),
		})
	}
	return ok(map[string]any{"messages": out})
}
