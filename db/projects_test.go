package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func goneProject(detail string) backup.Finding {
	return backup.Finding{Reason: backup.ProjectGone, ProjectID: "p", Object: "p", Detail: detail}
}

func TestUnreachableProjectIsNewOnceAndEndsWhenReached(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.volume("w", nil)
	one, other := h.lease("v"), h.lease("w")
	isNew, err := one.RecordUnreachableProject(h.ctx, goneProject("a"))
	require.NoError(t, err)
	assert.True(t, isNew)
	h.clock.Step(time.Minute)
	isNew, err = other.RecordUnreachableProject(h.ctx, goneProject("b"))
	require.NoError(t, err)
	assert.False(t, isNew)
	want := KeptFinding{Finding: goneProject("b"), ProjectName: "one", Since: base}
	want.ObjectName = "one" // as the volume names its project
	assert.Equal(t, []KeptFinding{want}, h.findings())
	h.clock.Set(one.Until)
	h.changesNothing(func() {
		_, err := one.RecordUnreachableProject(h.ctx, goneProject("late"))
		require.NoError(t, err)
	})
	require.NoError(t, one.Reached(h.ctx, "q"))
	assert.Len(t, h.findings(), 1)
	require.NoError(t, one.Reached(h.ctx, "p"))
	assert.Empty(t, h.findings())
}

func TestGoneReturnsProjectsSeenGoneAfterTheTime(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	_, err := h.lease("v").RecordUnreachableProject(h.ctx, goneProject(""))
	require.NoError(t, err)
	gone, err := h.run().Gone(h.ctx, base.Add(-time.Second))
	require.NoError(t, err)
	assert.Equal(t, map[string]bool{"p": true}, gone)
	gone, err = h.run().Gone(h.ctx, base)
	require.NoError(t, err)
	assert.Empty(t, gone)
}

func TestForgetProjectsDeletesFindingsWithoutBackupsOrOld(t *testing.T) {
	t.Parallel()
	for shape, left := range map[string]bool{
		"available": true, "deleting": true, "undeletable": true, "leftover": true,
		"failed": false, "deleted": false, "withdrawn": false, "lost": false, "planned": false,
	} {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.volume("v", nil)
			h.volume("w", row{"project_id": "q"})
			h.record("r", shapes[shape])
			h.record("other", point("b-other", hour).with(row{"volume_id": "w", "project_id": "q"}))
			_, err := h.lease("v").RecordUnreachableProject(h.ctx, goneProject(""))
			require.NoError(t, err)
			require.NoError(t, h.run().ForgetProjects(h.ctx, base))
			assert.Equal(t, left, len(h.findings()) == 1)
			require.NoError(t, h.run().ForgetProjects(h.ctx, base.Add(time.Microsecond)))
			assert.Empty(t, h.findings(), "nobody met it since")
		})
	}
}
