package cloudsim

import "fmt"

// SeedOptions are how to fill a cloud. Zero values are the defaults in brackets.
type SeedOptions struct {
	Projects         int    // [2] named "<Prefix>1", "<Prefix>2" ...
	Servers          int    // [4] in all, distributed evenly over the projects
	VolumesPerServer int    // [2]
	SizeGiB          int    // [1] of each volume
	Prefix           string // ["project"] of the projects' names
	MetadataKey      string // of the servers' request for backups; empty sets none
	MetadataValue    string // ["true"]
	Users            bool   // every project gets a member "<project>-owner" with the same password and an e-mail address
}

// Seeded has the IDs of what Seed made.
type Seeded struct {
	Projects, Servers, Volumes []string
}

// Seed fills a cloud with projects, servers and attached volumes. It writes no events to the journal.
func Seed(c *Cloud, o SeedOptions) Seeded {
	setDefault(&o.Projects, 2)
	setDefault(&o.Servers, 4)
	setDefault(&o.VolumesPerServer, 2)
	setDefault(&o.SizeGiB, 1)
	setDefault(&o.Prefix, "project")
	setDefault(&o.MetadataValue, "true")
	c.lock()
	defer c.mu.Unlock()
	was := c.journalOff
	c.journalOff = true
	defer func() { c.journalOff = was }()

	var out Seeded
	for n := range o.Projects {
		p := c.addProject("default", fmt.Sprintf("%s%d", o.Prefix, n+1))
		out.Projects = append(out.Projects, p.ID)
		if o.Users {
			name := p.Name + "-owner"
			u := c.addUser("default", name, name, name+"@"+p.Name+".example")
			c.grant(assignment{user: u.ID, project: p.ID, role: "member"})
		}
	}
	for n := range o.Servers {
		name, metadata := fmt.Sprintf("server-%d", n+1), map[string]string{}
		if o.MetadataKey != "" {
			metadata[o.MetadataKey] = o.MetadataValue
		}
		s := c.newServer(out.Projects[n%o.Projects], "", name, metadata)
		out.Servers = append(out.Servers, s.ID)
		for d := range o.VolumesPerServer {
			v := c.addVolume(s.Project, fmt.Sprintf("%s-%d", name, d), o.SizeGiB)
			v.Bootable = d == 0
			c.attach(s, v)
			out.Volumes = append(out.Volumes, v.ID)
		}
	}
	return out
}
