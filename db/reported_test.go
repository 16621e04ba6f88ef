package db

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// transitions returns the metric of transitions, keyed by from>to:reason.
func (h *harness) transitions() map[string]float64 {
	h.t.Helper()
	families, err := h.metrics.Registry.Gather()
	require.NoError(h.t, err)
	all := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "staffeln_record_transitions_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			label := map[string]string{}
			for _, l := range m.GetLabel() {
				label[l.GetName()] = l.GetValue()
			}
			all[label["from"]+">"+label["to"]+":"+label["reason"]] = m.GetCounter().GetValue()
		}
	}
	return all
}

func TestEachTransitionIsCountedOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	b, c := h.run(), h.lease("v")
	_, err := b.Plan(h.ctx, []backup.Record{plannedRecord("v")})
	require.NoError(t, err)
	records, err := c.Records(h.ctx)
	require.NoError(t, err)
	r := records[0]
	for _, step := range []func() (backup.Record, error){
		func() (backup.Record, error) { return c.StartCreation(h.ctx, r, r.Kind, "name", hour) },
		func() (backup.Record, error) { return c.NotAccepted(h.ctx, r, why, base) },
		func() (backup.Record, error) { return c.StartCreation(h.ctx, r, r.Kind, "name", hour) },
		func() (backup.Record, error) { return c.Accept(h.ctx, r, "b") },
		func() (backup.Record, error) { return c.Later(h.ctx, r, "creating", base) },
		func() (backup.Record, error) {
			return c.PassDeadline(h.ctx, r, Why{Reason: backup.DeadlinePassed}, base)
		},
		func() (backup.Record, error) { return c.Finish(h.ctx, r, made, hour) },
		func() (backup.Record, error) { return c.StartRemoval(h.ctx, r, backup.RetentionOver) },
		func() (backup.Record, error) {
			return c.RefuseRemoval(h.ctx, r, Why{Reason: backup.HasDependents}, base)
		},
		func() (backup.Record, error) { return c.StartRemoval(h.ctx, r, backup.RetentionOver) },
		func() (backup.Record, error) { return c.Removed(h.ctx, r) },
	} {
		r, err = step()
		require.NoError(t, err)
	}
	_, err = c.Removed(h.ctx, r)
	require.Error(t, err, "what is refused is not counted")
	assert.Equal(t, map[string]float64{
		">planned:chain_continues": 1, "planned>creating:": 1, "creating>overdue:deadline_passed": 1, "overdue>available:": 1,
		"available>deleting:expired": 2, "deleting>available:has_dependents": 1, "deleting>deleted:expired": 1,
	}, h.transitions())
}

func TestTransitionsAreLoggedAndRetriesAreNot(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	c, r := h.shaped("planned")
	var log bytes.Buffer
	ctx := zerolog.New(&log).WithContext(h.ctx)
	_, err := c.Later(ctx, r, "", base)
	require.NoError(t, err)
	assert.Empty(t, log.String())
	_, err = c.Fail(ctx, r, why)
	require.NoError(t, err)
	var line map[string]any
	require.NoError(t, json.Unmarshal(log.Bytes(), &line), "one line")
	assert.Equal(t, map[string]any{
		"level": "info", "message": "record changed", "record_id": "r", "volume_id": "v", "volume": "disk", "project_id": "p", "project": "one",
		"from": "planned", "to": "failed", "kind": "full", "reason": "quota_exceeded",
	}, line)
}

func TestBulkTransitionsAreCountedByReason(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, id := range []string{"a", "b", "c"} {
		h.plan(id, nil)
	}
	_, err := h.run().WithdrawAll(h.ctx, []string{"a", "b", "c"}, []backup.Reason{backup.VolumeGone, backup.NotProtected, backup.VolumeGone})
	require.NoError(t, err)
	assert.Equal(t, map[string]float64{"planned>withdrawn:volume_gone": 2, "planned>withdrawn:not_protected": 1}, h.transitions())
}
