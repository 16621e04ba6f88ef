package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func shortened(object, detail string) backup.Finding {
	return backup.Finding{Reason: backup.RetentionShortened, ProjectID: "p", Object: object, Detail: detail}
}

func (h *house) found(complete bool, findings ...backup.Finding) []backup.Finding {
	h.t.Helper()
	fresh, err := h.beat().Found(h.ctx, findings, complete)
	require.NoError(h.t, err)
	return fresh
}

// findings are those that an operator is shown.
func (h *house) findings() (found []KeptFinding) {
	h.t.Helper()
	h.look(func(l *Look) {
		var err error
		found, err = l.Findings(h.ctx)
		require.NoError(h.t, err)
	})
	return found
}

func TestAFindingIsToldOnceAndKeepsItsDate(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	assert.Equal(t, []backup.Finding{shortened("v", "a")}, h.found(true, shortened("v", "a")))
	h.clock.Step(hour)
	assert.Empty(t, h.found(true, shortened("v", "b")))
	found := h.findings()
	assert.Equal(t, []KeptFinding{{Finding: shortened("v", "b"), Since: base}}, found, "the newest detail, the first date")
	assert.Same(t, time.UTC, found[0].Since.Location())
}

func TestOnlyAPlanThatSawAllForgetsAFinding(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.found(true, shortened("v", ""), shortened("w", ""))
	h.clock.Step(hour)
	lines := h.changes(func() { h.found(false, shortened("w", "")) })
	assert.Equal(t, []string{"findings retention_shortened w seen_at: -1h0m0s -> now"}, lines)
	h.clock.Step(hour)
	lines = h.changes(func() { h.found(true, shortened("w", "")) })
	assert.Equal(t, []string{"- findings retention_shortened v", "findings retention_shortened w seen_at: -1h0m0s -> now"}, lines)
	h.clock.Step(hour)
	assert.NotEmpty(t, h.found(true, shortened("v", "")), "found again, it is new")
}

func TestAPlanForgetsNobodyElsesFindings(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, reason := range backup.Reasons() {
		require.NoError(t, h.insert("findings", row{
			"reason": string(reason), "object": "o", "project_id": "p", "detail": "", "since": base.Add(-hour), "seen_at": base.Add(-hour),
		}))
	}
	lines := h.changes(func() { h.found(true) })
	assert.Equal(t, []string{
		"- findings backup_metadata_unreadable o", "- findings retention_metadata_unreadable o", "- findings retention_shortened o",
	}, lines)
}

func TestTheSameFindingTwiceIsOneAndAlwaysTheSame(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.found(true, shortened("v", "b"), shortened("v", "a"))
	h.clock.Step(hour)
	lines := h.changes(func() { h.found(true, shortened("v", "a"), shortened("v", "b")) })
	assert.Equal(t, []string{"findings retention_shortened v seen_at: -1h0m0s -> now"}, lines)
}

func TestFindingsComeNewestFirst(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.found(false, shortened("z", ""))
	h.clock.Step(hour)
	h.found(false, shortened("b", ""), shortened("a", ""))
	found := h.findings()
	var objects []string
	for _, f := range found {
		objects = append(objects, f.Object)
	}
	assert.Equal(t, []string{"a", "b", "z"}, objects)
}
