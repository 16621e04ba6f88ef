package db

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func shortened(object, detail string) backup.Finding {
	return backup.Finding{Reason: backup.RetentionShortened, ProjectID: "p", Object: object, Detail: detail}
}

func (h *harness) recordFindings(complete bool, findings ...backup.Finding) []backup.Finding {
	h.t.Helper()
	fresh, err := h.run().RecordFindings(h.ctx, findings, complete)
	require.NoError(h.t, err)
	return fresh
}

// findings returns the findings as an operator sees them.
func (h *harness) findings() (found []KeptFinding) {
	h.t.Helper()
	h.inSnapshot(func(l *Snapshot) {
		var err error
		found, err = l.Findings(h.ctx)
		require.NoError(h.t, err)
	})
	return found
}

func TestFindingIsNewOnceAndKeepsSince(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	assert.Equal(t, []backup.Finding{shortened("v", "a")}, h.recordFindings(true, shortened("v", "a")))
	h.clock.Step(hour)
	assert.Empty(t, h.recordFindings(true, shortened("v", "b")))
	found := h.findings()
	assert.Equal(t, []KeptFinding{{Finding: shortened("v", "b"), Since: base}}, found, "the newest detail, the first date")
	assert.Same(t, time.UTC, found[0].Since.Location())
}

func TestOnlyACompletePlanDeletesFindings(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.recordFindings(true, shortened("v", ""), shortened("w", ""))
	h.clock.Step(hour)
	lines := h.changes(func() { h.recordFindings(false, shortened("w", "")) })
	assert.Equal(t, []string{"findings retention_shortened w seen_at: -1h0m0s -> now"}, lines)
	h.clock.Step(hour)
	lines = h.changes(func() { h.recordFindings(true, shortened("w", "")) })
	assert.Equal(t, []string{"- findings retention_shortened v", "findings retention_shortened w seen_at: -1h0m0s -> now"}, lines)
	h.clock.Step(hour)
	assert.NotEmpty(t, h.recordFindings(true, shortened("v", "")), "found again, it is new")
}

func TestPlanDeletesOnlyPlanFindings(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, reason := range backup.Reasons() {
		require.NoError(t, h.insert("findings", row{
			"reason": string(reason), "object": "o", "project_id": "p", "detail": "", "since": base.Add(-hour), "seen_at": base.Add(-hour),
		}))
	}
	lines := h.changes(func() { h.recordFindings(true) })
	assert.Equal(t, []string{
		"- findings absences_unconfirmed o", "- findings backup_metadata_unreadable o", "- findings endpoint_silent o", "- findings not_seen o", "- findings older_api_node o",
		"- findings retention_metadata_unreadable o", "- findings retention_shortened o",
	}, lines)
}

func TestReconcileDeletesOnlyReconcileFindings(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, reason := range backup.Reasons() {
		require.NoError(t, h.insert("findings", row{
			"reason": string(reason), "object": "o", "project_id": "p", "detail": "", "since": base.Add(-hour), "seen_at": base.Add(-hour),
		}))
	}
	reconciled := func(complete bool) func() {
		return func() {
			_, err := h.run().RecordReconcileFindings(h.ctx, nil, complete)
			require.NoError(t, err)
		}
	}
	h.changesNothing(reconciled(false))
	assert.Equal(t, []string{
		"- findings check_not_asked o", "- findings losses_unconfirmed o", "- findings orphan o", "- findings removed_by_others o", "- findings secret_gone o", "- findings secrets_unconfirmed o", "- findings status_unknown o", "- findings tag_mismatch o",
	}, h.changes(reconciled(true)))
	counts, err := h.run().FindingCounts(h.ctx)
	require.NoError(t, err)
	assert.Len(t, counts, len(backup.Reasons())-8)
	assert.Equal(t, 1, counts[string(backup.RetentionShortened)])
}

// A loss remains a finding for as long as the restore point would have been retained.
func TestLossIsAFindingUntilItsRetentionEnds(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"retention": "3 days"})
	h.volume("w", row{"protected": false, "retention": nil, "retention_source": nil})
	h.record("r", point("b1", hour).with(row{"state": "lost", "retention": "1 day"}))
	h.record("s", point("b2", hour).with(row{"state": "lost", "retention": "1 day", "volume_id": "w"}))
	h.record("there", point("b3", hour))
	lost := func() (objects []string) {
		found, err := h.run().Lost(h.ctx)
		require.NoError(t, err)
		for _, f := range found {
			assert.Equal(t, backup.RemovedByOthers, f.Reason)
			assert.Equal(t, "p", f.ProjectID)
			assert.Contains(t, f.Detail, f.VolumeID)
			objects = append(objects, f.Object)
		}
		slices.Sort(objects)
		return objects
	}
	assert.Equal(t, []string{"b1", "b2"}, lost())
	h.clock.Set(base.Add(day - hour))
	assert.Equal(t, []string{"b1"}, lost(), "the volume's retention in force, or else the record's own")
	h.clock.Set(base.Add(3*day - hour))
	assert.Empty(t, lost())
}

func TestDuplicateFindingsAreMergedDeterministically(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.recordFindings(true, shortened("v", "b"), shortened("v", "a"))
	h.clock.Step(hour)
	lines := h.changes(func() { h.recordFindings(true, shortened("v", "a"), shortened("v", "b")) })
	assert.Equal(t, []string{"findings retention_shortened v seen_at: -1h0m0s -> now"}, lines)
}

func TestFindingsAreSortedNewestFirst(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.recordFindings(false, shortened("z", ""))
	h.clock.Step(hour)
	h.recordFindings(false, shortened("b", ""), shortened("a", ""))
	found := h.findings()
	var objects []string
	for _, f := range found {
		objects = append(objects, f.Object)
	}
	assert.Equal(t, []string{"a", "b", "z"}, objects)
}

// A thing that is gone keeps its last known name; a volume that another project owns by now does not show its name there.
func TestFindingsHaveTheNamesThatTheDatabaseKnows(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"name": "theirs", "project_id": "other", "project_name": "globex"})
	h.record("r", point("b", hour).with(row{"volume_id": "v", "project_name": "acme", "volume_name": "data", "backup_name": "data_1"}))
	h.recordFindings(true,
		backup.Finding{Reason: backup.RetentionShortened, ProjectID: "p", Object: "v", VolumeID: "v"},
		backup.Finding{Reason: backup.RetentionMetadataUnreadable, ProjectID: "p", Object: "s", ObjectName: "web"},
		backup.Finding{Reason: backup.Orphan, ProjectID: "p", Object: "b", VolumeID: "v"},
		backup.Finding{Reason: backup.ProjectGone, ProjectID: "p", Object: "p"},
		backup.Finding{Reason: backup.NotSeen, Object: "servers"},
	)
	names := map[backup.Reason][3]string{}
	for _, f := range h.findings() {
		names[f.Reason] = [3]string{f.ObjectName, f.VolumeName, f.ProjectName}
	}
	assert.Equal(t, map[backup.Reason][3]string{
		backup.RetentionShortened: {"data", "data", "acme"}, backup.RetentionMetadataUnreadable: {"web", "", "acme"},
		backup.Orphan: {"data_1", "data", "acme"}, backup.ProjectGone: {"acme", "", "acme"}, backup.NotSeen: {},
	}, names)
}

func TestPlanEndsFindingsAboutDeletedProjects(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, project := range []string{"back", "empty", "backups", "server", "seen"} {
		require.NoError(t, h.insert("findings", row{"reason": "project_gone", "object": project, "project_id": project, "detail": "", "since": base, "seen_at": base.Add(-hour)}))
	}
	h.exec(`UPDATE findings SET seen_at = $1 WHERE object = 'seen'`, base)
	h.volume("v", row{"project_id": "backups", "protected": false})
	h.record("r", point("b", hour).with(row{"volume_id": "v", "project_id": "backups"}))
	h.volume("w", row{"project_id": "server"})
	lines := h.changes(func() { require.NoError(t, h.run().EndGoneProjects(h.ctx, []string{"back"})) })
	assert.Equal(t, []string{"- findings project_gone back", "- findings project_gone empty"}, lines)
}
