package db

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

var intent = OperatorAction{Who: "me@here", Action: ActionCancel, Object: "v", ProjectID: "p", Intent: "the end of it"}

func (h *harness) auditRows(limit int) (lines []OperatorAction) {
	h.t.Helper()
	h.inSnapshot(func(l *Snapshot) {
		var err error
		lines, err = l.OperatorActions(h.ctx, limit)
		require.NoError(h.t, err)
	})
	return lines
}

func TestAuditRowIsWrittenBeforeTheActionAndItsOutcomeAfter(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.seed()
	want := intent
	want.At = base
	lines := h.changes(func() {
		require.NoError(t, h.db.RecordOperatorAction(h.ctx, intent, func() (string, error) {
			assert.Equal(t, []OperatorAction{want}, h.auditRows(0), "without an outcome so far")
			return "failed\x00", nil
		}))
	})
	assert.Equal(t, []string{"+ audit 1"}, lines)
	want.Outcome = "failed\uFFFD"
	assert.Equal(t, []OperatorAction{want}, h.auditRows(0))
}

func TestErrorOfAnActionIsItsOutcome(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	refused := errors.New("nobody may")
	err := h.db.RecordOperatorAction(h.ctx, intent, func() (string, error) { return "", refused })
	require.Equal(t, refused, err)
	assert.Contains(t, h.auditRows(0)[0].Outcome, "error: nobody may")
}

func TestActionIsNotRunWithoutAnAuditRow(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	unknown := intent
	unknown.Action = "destroy"
	over, cancel := context.WithCancel(h.ctx)
	cancel()
	h.changesNothing(func() {
		for ctx, i := range map[context.Context]OperatorAction{h.ctx: unknown, over: intent} {
			err := h.db.RecordOperatorAction(ctx, i, func() (string, error) { t.Error("it was done"); return "", nil })
			require.ErrorContains(t, err, "nothing was done")
		}
	})
}

func TestOutcomeIsWrittenAfterCancellation(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ctx, cancel := context.WithCancel(h.ctx)
	err := h.db.RecordOperatorAction(ctx, intent, func() (string, error) { cancel(); return "half", nil })
	require.NoError(t, err)
	assert.Equal(t, "half", h.auditRows(0)[0].Outcome)
}

func TestErrorWritingTheOutcomeIsReturned(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	refused := errors.New("nobody may")
	err := h.db.RecordOperatorAction(h.ctx, intent, func() (string, error) {
		h.exec("ALTER TABLE audit DROP COLUMN outcome")
		return "", refused
	})
	require.ErrorContains(t, err, "write outcome to audit line 1")
	require.ErrorIs(t, err, refused)
}

func TestOperatorActionsAreSortedNewestFirst(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	assert.Empty(t, h.auditRows(0))
	for _, action := range []string{ActionBackupNow, ActionCancel, ActionPause, ActionResume, ActionPurgeProject, ActionConfirmLost} { // two have the same time
		i := intent
		i.Action = action
		require.NoError(t, h.db.RecordOperatorAction(h.ctx, i, func() (string, error) { return "done", nil }))
		if action != ActionResume {
			h.clock.Step(time.Minute)
		}
	}
	var actions []string
	for _, i := range h.auditRows(0) {
		actions = append(actions, i.Action)
	}
	assert.Equal(t, []string{ActionConfirmLost, ActionPurgeProject, ActionResume, ActionPause, ActionCancel, ActionBackupNow}, actions)
	assert.Len(t, h.auditRows(2), 2)
	assert.Equal(t, ActionConfirmLost, h.auditRows(1)[0].Action)
}

func TestPlanManualWritesAPlannedManualRecord(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	want, id := plannedRecord("v"), ""
	lines := h.changes(func() {
		var err error
		id, err = h.db.PlanManual(h.ctx, want)
		require.NoError(t, err)
	})
	assert.Equal(t, []string{"+ records " + id}, lines)
	want.ID, want.Manual, want.CreatedAt, want.ChangedAt, want.ReasonText = id, true, base, base, ""
	r := h.read(id)
	assert.Equal(t, want, r)
	assert.Equal(t, map[string]float64{">planned:chain_continues": 1}, h.transitions())

	c := h.lease("v")
	r, err := c.StartCreation(h.ctx, r, r.Kind, "name", hour)
	require.NoError(t, err)
	r, err = c.Accept(h.ctx, r, "b")
	require.NoError(t, err)
	r, err = c.Finish(h.ctx, r, made, hour)
	require.NoError(t, err)
	assert.True(t, r.Manual, "to its end")
}

func TestPlanManualAllowsOneRecordInProgress(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for shape, more := range shapes {
		h.plan(shape, more.with(unique(more, shape)))
		if stateOf(shape).InProgress() {
			h.changesNothing(func() {
				_, err := h.db.PlanManual(h.ctx, plannedRecord("v-"+shape))
				require.ErrorIs(t, err, ErrStale, shape)
			})
			continue
		}
		_, err := h.db.PlanManual(h.ctx, plannedRecord("v-"+shape))
		require.NoError(t, err, shape)
	}
	h.changesNothing(func() {
		_, err := h.db.PlanManual(h.ctx, plannedRecord("unheard of"))
		require.ErrorContains(t, err, "manually")
		require.NotErrorIs(t, err, ErrStale)
	})
	n, err := h.run().Plan(h.ctx, []backup.Record{plannedRecord("v-available")})
	require.NoError(t, err)
	assert.Zero(t, n, "nor does a plan write one")
}
