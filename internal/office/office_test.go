package office

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/office/oracle"
)

// An office is the program, the people around it, and the oracle.
type office struct {
	*program

	oracle   *oracle.Oracle
	dice     *rand.Rand
	projects map[string]string // IDs by name
	servers  map[string]string // those that are there
	volumes  map[string]string
	roster   []string // names of all volumes ever, in order
	homes    map[string]string
	agenda   []item
	serial   int
	kinds    map[string]int // deeds of the calendar by kind
	theirs   []string       // backups of the other installation
	other    string         // the other installation's user
	users    map[string]string
	broken   map[string]bool // laws, each told once
	watch    []func() bool   // asked after each piece of work, until they have done what they wait for
	heard    int             // violations of the oracle that were told
}

func newOffice(t *testing.T) *office {
	o := &office{
		program: newProgram(t), dice: rand.New(rand.NewPCG(60, 80)), projects: map[string]string{}, servers: map[string]string{},
		volumes: map[string]string{}, homes: map[string]string{}, kinds: map[string]int{}, broken: map[string]bool{}, users: map[string]string{},
	}
	set := o.set
	o.oracle = oracle.New(o.sim, oracle.Rules{
		User: o.sim.Cast().Service, BackupKey: set.BackupMetadataKey, RetentionKey: set.RetentionMetadataKey,
		Interval: set.BackupMinInterval.Std(), Period: set.BackupServicePeriod.Std(), Grace: set.RPOGrace.Std(), Depth: set.FullBackupDepth,
		Floor: set.MinRestorePoints, Retention: 5 * day, ShortenDelay: set.RetentionShortenDelay.Std(), Sweep: set.SweepPeriod.Std(), Removal: 6 * time.Hour,
	})
	o.other = o.sim.AddUser("staffeln-b", "secret", "")
	o.sim.GrantInherited(o.other, o.sim.Cast().Domain, "admin")
	for _, name := range projects {
		o.projects[name] = o.sim.AddProject(name)
		o.users["boss-"+name] = o.sim.AddUser("boss-"+name, "secret", "")
		o.sim.Grant(o.users["boss-"+name], o.projects[name], "member")
	}
	for _, s := range cast {
		metadata := map[string]string{}
		if !s.never {
			metadata[set.BackupMetadataKey] = s.wish
		}
		if s.retention != "" {
			metadata[set.RetentionMetadataKey] = s.retention
		}
		o.addServer(s.server, s.project, metadata)
		for i, size := range s.sizes {
			o.addVolume(fmt.Sprintf("%s/%d", s.server, i), s.project, s.server, size, s.encrypted)
		}
	}
	for _, s := range spare {
		o.addVolume(s.name, s.project, "", 10, false)
	}
	require.Len(t, o.servers, 30)
	require.Len(t, o.volumes, 80)
	o.oracle.Look(o.now)
	return o
}

const day = 24 * time.Hour

func (o *office) addServer(name, project string, metadata map[string]string) {
	o.servers[name] = o.sim.AddServer(o.projects[project], name, metadata)
	o.homes[name] = project
}

func (o *office) addVolume(name, project, server string, size int, encrypted bool) {
	o.volumes[name] = o.sim.AddVolume(o.projects[project], name, size, cloudsim.VolumeOptions{Encrypted: encrypted})
	o.roster = append(o.roster, name)
	o.homes[name] = project
	if server != "" {
		o.sim.Attach(o.servers[server], o.volumes[name])
	}
}

// volume is the ID of a volume that the calendar names, and that is there.
func (o *office) volume(name string) string {
	o.t.Helper()
	require.NotEmpty(o.t, o.volumes[name], "volume %s at %s", name, o.now)
	return o.volumes[name]
}

func (o *office) server(name string) string {
	o.t.Helper()
	require.NotEmpty(o.t, o.servers[name], "server %s at %s", name, o.now)
	return o.servers[name]
}

func (o *office) project(name string) string {
	o.t.Helper()
	require.NotEmpty(o.t, o.projects[name], "project %s", name)
	return o.projects[name]
}
