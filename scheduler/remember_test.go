package scheduler

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
)

var bounds = backup.Bounds{Default: backup.Period{Days: 17}, ShortenDelay: 24 * time.Hour}

// look is one plan's look at a cloud, and what is remembered after it.
func look(inv backup.Inventory, known map[string]db.Volume) *memory {
	return remember(now, inv, backup.Protect(inv, backup.Keys{Backup: "b", Retention: "r"}), known, bounds)
}

func known(m *memory) map[string]db.Volume {
	all := map[string]db.Volume{}
	for id, v := range m.volumes {
		all[id] = *v
	}
	return all
}

var wholeCloud = backup.Inventory{
	Projects: []backup.Project{{ID: "p", Name: "acme"}},
	Servers:  []backup.Server{{ID: "s", Name: "web", ProjectID: "p", Metadata: map[string]string{"b": "true", "r": "30d"}}},
	Volumes:  []backup.Volume{{ID: "v", ProjectID: "p", Status: "in-use", SizeGiB: 1, Servers: []string{"s"}}, {ID: "loose", ProjectID: "p"}},
}

func TestRememberProtection(t *testing.T) {
	m := look(wholeCloud, nil)
	v := m.volumes["v"]
	require.True(t, v.Protected)
	require.Equal(t, "web", v.ServerName)
	require.Equal(t, "acme", v.ProjectName)
	require.Equal(t, "4w2d", v.Retention.InForce.String())
	require.False(t, m.volumes["loose"].Protected)
	require.Empty(t, m.unknown)
}

// It begins with the protection, and again in another project. What a plan can't see changes nothing.
func TestSinceWhenAVolumeIsProtected(t *testing.T) {
	at := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
	remembered := map[string]db.Volume{}
	for hour, step := range []struct {
		wants   string // of its server
		project string
		blind   bool // Nova lists nothing
		since   int
	}{
		{wants: "false", project: "p", since: -1},
		{wants: "true", project: "p", since: 1},
		{wants: "true", project: "p", since: 1},
		{wants: "true", project: "p", blind: true, since: 1},
		{wants: "true", project: "p", since: 1},
		{wants: "false", project: "p", since: -1},
		{wants: "true", project: "p", since: 6},
		{wants: "true", project: "q", since: 7},
		{wants: "true", project: "q", since: 7},
	} {
		inv := backup.Inventory{
			Servers: []backup.Server{{ID: "s", ProjectID: step.project, Metadata: map[string]string{"b": step.wants}}},
			Volumes: []backup.Volume{{ID: "v", ProjectID: step.project, Status: "in-use", Servers: []string{"s"}}},
		}
		if step.blind {
			inv.Servers, inv.Unseen = nil, []string{"servers"}
		}
		m := remember(at(hour), inv, backup.Protect(inv, backup.Keys{Backup: "b", Retention: "r"}), remembered, bounds)
		remembered = known(m)
		if step.since < 0 {
			require.Nil(t, remembered["v"].ProtectedSince, hour)
			continue
		}
		require.Equal(t, at(step.since), *remembered["v"].ProtectedSince, hour)
	}
}

// A volume, or its server, is gone when two complete plans in a row say so.
func TestAbsenceIsConcludedFromTwoCompletePlans(t *testing.T) {
	partial := func(inv backup.Inventory) backup.Inventory {
		inv.Unseen = []string{"volumes, page 2"}
		return inv
	}
	noVolume, noServer := wholeCloud, wholeCloud
	noVolume.Volumes, noServer.Servers = wholeCloud.Volumes[1:], nil
	for _, c := range []struct {
		name  string
		looks []backup.Inventory
		gone  bool
		known bool // something is concluded
	}{
		{"volume missing once", []backup.Inventory{noVolume}, false, false},
		{"volume missing twice", []backup.Inventory{noVolume, noVolume}, true, true},
		{"an incomplete plan says nothing", []backup.Inventory{partial(noVolume), partial(noVolume), partial(noVolume)}, false, false},
		{"and begins the count anew", []backup.Inventory{noVolume, partial(noVolume), noVolume}, false, false},
		{"seen in between", []backup.Inventory{noVolume, wholeCloud, noVolume}, false, false},
		{"server missing once", []backup.Inventory{noServer}, false, false},
		{"server missing, then the volume", []backup.Inventory{noServer, noVolume}, false, false},
		{"volume missing, then the server", []backup.Inventory{noVolume, noServer}, false, false},
		{"one after the other, again and again", []backup.Inventory{noServer, noVolume, noServer, noVolume}, false, false},
		{"server missing twice", []backup.Inventory{noServer, noServer}, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := look(wholeCloud, nil)
			for _, inv := range c.looks {
				m = look(inv, known(m))
			}
			v := m.volumes["v"]
			require.Equal(t, c.gone, v.GoneAt != nil)
			require.Equal(t, !c.known, m.unknown["v"])
			require.Equal(t, !c.known, v.Protected, "protection stays until something is concluded")
			require.Equal(t, "4w2d", v.Retention.InForce.String(), "the retention stays in any case")
		})
	}
}

// A shortened retention is a finding at once and in force later.
func TestShortenedRetentionIsAFinding(t *testing.T) {
	thief := wholeCloud
	thief.Servers = []backup.Server{{ID: "s", Name: "web", ProjectID: "p", Metadata: map[string]string{"b": "true", "r": "1s"}}}
	m := look(thief, known(look(wholeCloud, nil)))
	require.Equal(t, "4w2d", m.volumes["v"].Retention.InForce.String())
	require.Len(t, m.findings, 1)
	require.Equal(t, backup.RetentionShortened, m.findings[0].Reason)
}
