package db

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func volumeIDs(all []Volume) (ids []string) {
	for _, v := range all {
		ids = append(ids, v.ID)
	}
	return ids
}

func TestTargetsReturnsAVolumeOrTheProtectedVolumesOfAServer(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	server := func(id, name string, more row) row { return row{"server_id": id, "server_name": name}.with(more) }
	for id, more := range map[string]row{
		"v1": server("s1", "web", row{"name": "data"}), "v2": server("s1", "web", row{"name": "boot"}),
		"unprotected": server("s1", "web", row{"name": "scratch", "protected": false}),
		"gone":        server("s1", "web", row{"name": "old", "gone_at": base}),
		"v3":          server("s2", "db", row{"name": "twice"}), "v4": server("s3", "db", row{"name": "twice"}),
		"v5": server("s5", "cache", row{"name": "s6"}), "v6": server("s6", "v7", row{"name": "queue"}),
		"v7": server("s7", "queue", row{"name": "log"}), "v8": server("s8", "s1", row{"name": "tmp"}),
		"v9": server("s9", "twice", row{"name": "spool"}),
	} {
		h.volume(id, more)
	}
	h.inSnapshot(func(l *Snapshot) {
		for idOrName, want := range map[string][]string{
			"v1": {"v1"}, "data": {"v1"}, "unprotected": {"unprotected"}, "old": {"gone"}, "web": {"v2", "v1"}, "cache": {"v5"},
			"s6":    {"v6"},       // the ID of a server before the name of a volume
			"v7":    {"v7"},       // the ID of a volume before the name of a server
			"s1":    {"v2", "v1"}, // the ID of a server before the name of another
			"queue": {"v6"},       // the name of a volume before that of a server
		} {
			all, err := l.Targets(h.ctx, idOrName)
			require.NoError(t, err, idOrName)
			assert.Equal(t, want, volumeIDs(all), idOrName)
		}
		for idOrName, want := range map[string]string{
			"db": "2 servers have that name: [s2 s3]", "twice": "2 volumes have that name: [v3 v4]",
			"nothing": ErrUnknownVolume.Error(), "\x00": ErrUnknownVolume.Error(),
		} {
			_, err := l.Targets(h.ctx, idOrName)
			require.EqualError(t, err, want, idOrName)
		}
	})
}

func TestProjectIsFoundByIDOrUniqueName(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("a", row{"project_id": "p1", "project_name": "acme"})
	h.volume("b", row{"project_id": "p2", "project_name": "twice"})
	h.volume("c", row{"project_id": "p3", "project_name": "p1"})
	h.volume("d", row{"project_id": "p5", "project_name": ""})
	h.record("left", point("b1", hour).with(row{"volume_id": "a", "project_id": "p4", "project_name": "twice"}))
	h.inSnapshot(func(l *Snapshot) {
		for idOrName, want := range map[string]Project{"p1": {"p1", "acme"}, "acme": {"p1", "acme"}, "p4": {"p4", "twice"}, "p5": {"p5", ""}} {
			p, err := l.Project(h.ctx, idOrName)
			require.NoError(t, err, idOrName)
			assert.Equal(t, want, p, idOrName)
		}
		_, err := l.Project(h.ctx, "twice")
		require.EqualError(t, err, "2 projects have that name: [p2 p4]")
		require.ErrorAs(t, err, new(AmbiguousError))
		for _, idOrName := range []string{"nothing", "\x00"} {
			_, err = l.Project(h.ctx, idOrName)
			require.ErrorIs(t, err, ErrUnknownProject)
		}
	})
	assert.Equal(t, "all projects", Project{}.String())
	assert.Equal(t, "project p", Project{ID: "p"}.String())
	assert.Equal(t, "project acme (p)", Project{"p", "acme"}.String())
}

func TestRemnantsReturnsBackupsByProject(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	away := row{"gone_at": base, "protected": false}
	project := func(id string) row { return row{"project_id": id, "project_name": "name of " + id} }
	h.volume("alive", project("here"))
	h.volume("elsewhere", project("here"))
	for _, id := range []string{"here", "left", "empty"} {
		h.volume("gone of "+id, project(id).with(away))
	}
	for shape, more := range shapes { // all shapes
		if stateOf(shape).InProgress() {
			continue
		}
		h.record(shape, more.with(unique(more, shape)).with(project("left")).with(row{"volume_id": "gone of left"}))
	}
	h.record("here", point("b-here", hour).with(project("here")).with(row{"volume_id": "gone of here"}))
	h.record("transferred", point("b-transferred", hour).with(project("former")).with(row{"volume_id": "elsewhere"}))
	h.record("nothing left", shapes["deleted"].with(project("empty")).with(row{"volume_id": "gone of empty", "backup_id": "b-deleted too"}))
	h.inSnapshot(func(l *Snapshot) {
		all, err := l.OrphanedProjects(h.ctx)
		require.NoError(t, err)
		assert.Equal(t, []OrphanedProject{
			{Project{"former", "name of former"}, 1, 10},
			{Project{"here", "name of here"}, 1, 10},
			{Project{"left", "name of left"}, 5, 50}, // available, deleting twice, undeletable, leftover
		}, all)
		for id, want := range map[string][]string{"left": {"gone of left"}, "former": {"elsewhere"}, "nowhere": nil} {
			of, err := l.VolumesOf(h.ctx, id)
			require.NoError(t, err)
			assert.Equal(t, want, volumeIDs(of), id)
		}
	})
}
