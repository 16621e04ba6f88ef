package simulation

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/invariants"
)

// A simulation is the program, the people around it, and the expectations.
type simulation struct {
	*program

	expected  *expectations
	random    *rand.Rand
	projects  map[string]string // IDs by name
	servers   map[string]string // of existing servers
	volumes   map[string]string
	roster    []string // names of all volumes that ever existed, in order
	projectOf map[string]string
	agenda    []item
	serial    int
	kinds     map[string]int // number of the calendar's actions by kind
	theirs    []string       // backups of the other installation
	other     string         // the other installation's user
	users     map[string]string
	violated  map[string]bool // so that each violation is reported once
	watch     []func() bool   // called after each piece of work, until they return true
	shown     []invariants.Shown
}

func newSimulation(t *testing.T) *simulation {
	sim := &simulation{
		program: newProgram(t), random: rand.New(rand.NewPCG(60, 80)), projects: map[string]string{}, servers: map[string]string{},
		volumes: map[string]string{}, projectOf: map[string]string{}, kinds: map[string]int{}, violated: map[string]bool{}, users: map[string]string{},
	}
	set := sim.set
	sim.expected = &expectations{cloud: sim.cloud, set: set, volumes: map[string]*volume{}}
	sim.other = sim.cloud.AddUser("staffeln-b", "secret", "")
	sim.cloud.GrantInherited(sim.other, sim.cloud.Cast().Domain, "admin")
	for _, name := range projects {
		sim.projects[name] = sim.cloud.AddProject(name)
		sim.users["owner-"+name] = sim.cloud.AddUser("owner-"+name, "secret", "")
		sim.cloud.Grant(sim.users["owner-"+name], sim.projects[name], "member")
	}
	for _, s := range firstDay {
		metadata := map[string]string{}
		if !s.never {
			metadata[set.BackupMetadataKey] = s.wish
		}
		if s.retention != "" {
			metadata[set.RetentionMetadataKey] = s.retention
		}
		sim.addServer(s.server, s.project, metadata)
		for i, size := range s.sizes {
			sim.addVolume(fmt.Sprintf("%s/%d", s.server, i), s.project, s.server, size, s.encrypted)
		}
	}
	for _, s := range spare {
		sim.addVolume(s.name, s.project, "", 10, false)
	}
	require.Len(t, sim.servers, 30)
	require.Len(t, sim.volumes, 80)
	sim.expected.observe(sim.now)
	return sim
}

const day = 24 * time.Hour

func (sim *simulation) addServer(name, project string, metadata map[string]string) {
	sim.servers[name] = sim.cloud.AddServer(sim.projects[project], name, metadata)
	sim.projectOf[name] = project
}

func (sim *simulation) addVolume(name, project, server string, size int, encrypted bool) {
	sim.volumes[name] = sim.cloud.AddVolume(sim.projects[project], name, size, cloudsim.VolumeOptions{Encrypted: encrypted})
	sim.roster = append(sim.roster, name)
	sim.projectOf[name] = project
	if server != "" {
		sim.cloud.Attach(sim.servers[server], sim.volumes[name])
	}
}

// volume returns the ID of an existing volume by its name in the calendar.
func (sim *simulation) volume(name string) string {
	sim.t.Helper()
	require.NotEmpty(sim.t, sim.volumes[name], "volume %s at %s", name, sim.now)
	return sim.volumes[name]
}

func (sim *simulation) server(name string) string {
	sim.t.Helper()
	require.NotEmpty(sim.t, sim.servers[name], "server %s at %s", name, sim.now)
	return sim.servers[name]
}

func (sim *simulation) project(name string) string {
	sim.t.Helper()
	require.NotEmpty(sim.t, sim.projects[name], "project %s", name)
	return sim.projects[name]
}
