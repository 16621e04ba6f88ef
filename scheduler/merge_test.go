package scheduler

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
)

var bounds = backup.Bounds{Default: backup.Period{Days: 17}, ShortenDelay: 24 * time.Hour}

// observeCloud merges one observation of the cloud into the known volumes.
func observeCloud(inv backup.Inventory, known map[string]db.Volume) *knowledge {
	return observeCloudAt(now, inv, known, backup.CloudResponses{})
}

func observeCloudAt(at time.Time, inv backup.Inventory, known map[string]db.Volume, responses backup.CloudResponses) *knowledge {
	seen := &observation{inv: inv, responses: responses}
	seen.view = backup.Protect(inv, backup.Keys{Backup: "b", Retention: "r"}, func(v backup.Volume) backup.Before { return before(known[v.ID], v) }, responses)
	return merge(at, seen, known, bounds)
}

func known(m *knowledge) map[string]db.Volume {
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

func TestMergeKeepsProtectionAndRetention(t *testing.T) {
	m := observeCloud(wholeCloud, nil)
	v := m.volumes["v"]
	require.True(t, v.Protected)
	require.Equal(t, "web", v.ServerName)
	require.Equal(t, "acme", v.ProjectName)
	require.Equal(t, "4w2d", v.Retention.InForce.String())
	require.False(t, m.volumes["loose"].Protected)
	require.False(t, v.Unknown)
}

// The time starts with the protection, and again in another project. It does not change if a plan can't see the server.
func TestProtectedSinceRestartsInAnotherProject(t *testing.T) {
	at := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
	remembered := map[string]db.Volume{}
	for hour, step := range []struct {
		wants   string // metadata of its server
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
		m := observeCloudAt(at(hour), inv, remembered, backup.CloudResponses{})
		remembered = known(m)
		if step.since < 0 {
			require.Nil(t, remembered["v"].ProtectedSince, hour)
			continue
		}
		require.Equal(t, at(step.since), *remembered["v"].ProtectedSince, hour)
	}
}

// What a list lacks is unknown, however often: only a 404 by ID ends a protection or
// marks a volume as gone.
func TestVolumeIsGoneOnlyAfter404ByID(t *testing.T) {
	noVolume, noServer := wholeCloud, wholeCloud
	noVolume.Volumes, noServer.Servers = wholeCloud.Volumes[1:], nil
	deleted := backup.CloudResponses{GoneServers: map[string]bool{"s": true}, GoneVolumes: map[string]bool{"v": true}}
	unconfirmed := deleted
	unconfirmed.Unconfirmed = true
	for _, c := range []struct {
		name      string
		inv       backup.Inventory
		responses backup.CloudResponses
		ended     backup.Reason // empty: nothing is concluded
	}{
		{"volume missing", noVolume, backup.CloudResponses{}, ""},
		{"volume gone", noVolume, deleted, backup.EndVolumeDeleted},
		{"too many volumes gone", noVolume, unconfirmed, ""},
		{"server missing", noServer, backup.CloudResponses{}, ""},
		{"server gone", noServer, deleted, backup.EndServerDeleted},
		{"too many servers gone", noServer, unconfirmed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := observeCloud(wholeCloud, nil)
			for range 3 {
				m = observeCloudAt(now, c.inv, known(m), backup.CloudResponses{})
				require.True(t, m.volumes["v"].Unknown)
				require.True(t, m.volumes["v"].Protected)
				require.Empty(t, m.ends)
			}
			m = observeCloudAt(now, c.inv, known(m), c.responses)
			v := m.volumes["v"]
			require.Equal(t, c.ended == backup.EndVolumeDeleted, v.GoneAt != nil)
			require.Equal(t, c.ended == "", v.Unknown)
			require.Equal(t, c.ended == "", v.Protected, "protection lasts until something is concluded")
			require.Equal(t, "4w2d", v.Retention.InForce.String(), "the retention is kept in any case")
			if c.ended == "" {
				require.Empty(t, m.ends)
				return
			}
			require.Equal(t, []db.ProtectionEnd{{VolumeID: "v", ProjectID: "p", EndedAt: now, Reason: c.ended, ServerID: "s", ServerName: "web"}}, m.ends)
		})
	}
}

// A transfer ends the protection in the old project. In the new one, backups are not asked for yet.
func TestTransferEndsProtectionOfOldOwner(t *testing.T) {
	m := observeCloud(wholeCloud, nil)
	moved := wholeCloud
	moved.Volumes = []backup.Volume{{ID: "v", ProjectID: "q", Status: "available"}}
	m = observeCloud(moved, known(m))
	v := m.volumes["v"]
	require.False(t, v.Protected)
	require.Equal(t, &now, v.TransferredAt)
	require.Empty(t, v.ServerID+v.ServerName, "the old owner's servers are nothing to the new one")
	require.Equal(t, []string{"s", "web"}, []string{m.ends[0].ServerID, m.ends[0].ServerName}, "they are in the notice to the old owner")
	require.Len(t, m.ends, 1)
	require.Equal(t, []any{"p", backup.EndTransferred}, []any{m.ends[0].ProjectID, m.ends[0].Reason})
}

// A shortened retention is a finding at once and takes effect later.
func TestShortenedRetentionIsAFinding(t *testing.T) {
	thief := wholeCloud
	thief.Servers = []backup.Server{{ID: "s", Name: "web", ProjectID: "p", Metadata: map[string]string{"b": "true", "r": "1s"}}}
	m := observeCloud(thief, known(observeCloud(wholeCloud, nil)))
	require.Equal(t, "4w2d", m.volumes["v"].Retention.InForce.String())
	require.Len(t, m.findings, 1)
	require.Equal(t, backup.RetentionShortened, m.findings[0].Reason)
}
