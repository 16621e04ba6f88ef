package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func (h *harness) notify() int {
	h.t.Helper()
	n, err := h.run().Notify(h.ctx, day)
	require.NoError(h.t, err)
	return n
}

func (h *harness) notices(group string) []Notice {
	h.t.Helper()
	c := h.leaseReports(group)
	all, err := c.Notices(h.ctx, 7*day)
	require.NoError(h.t, err)
	require.NoError(h.t, c.Release(h.ctx))
	return all
}

func (h *harness) replaceProtectionEnd(volumeID, projectID string, more row) {
	h.t.Helper()
	h.exec(`DELETE FROM protection_ends WHERE volume_id = $1 AND project_id = $2`, volumeID, projectID)
	require.NoError(h.t, h.insert("protection_ends", row{
		"volume_id": volumeID, "project_id": projectID, "ended_at": h.run().Now, "reason": "metadata", "server_id": "s", "server_name": "web",
	}.with(more)))
}

// The volume's row has the new owner's names and servers. The old owner's project only gets its own.
func TestNoticeOfTransferredVolumeContainsOnlyOldOwnersData(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"project_id": "thief", "project_name": "evil", "name": "mine now", "server_id": "x", "server_name": "evil-server", "retention": "1 second"})
	h.record("old", point("b1", 3*day).with(row{"retention": "14 days"}))
	h.replaceProtectionEnd("v", "p", row{"reason": "transferred"})
	h.volume("empty", nil)
	h.record("failed", shapes["failed"].with(row{"volume_id": "empty"}))
	h.replaceProtectionEnd("empty", "p", nil)
	require.Equal(t, 1, h.notify(), "where no restore point is left there is nothing to save")
	all := h.notices("p")
	require.Len(t, all, 1)
	n := all[0]
	assert.Equal(t, NoticeContent{ProjectName: "one", VolumeName: "disk", ServerID: "s", ServerName: "web", Since: base, Reason: backup.EndTransferred}, n.Content)
	assert.Equal(t, []any{backup.ProtectionEnded, 1, true, base.Add(11 * day)}, []any{n.Kind, n.Points, n.Holds, n.LastEnd.UTC()})
	assert.Empty(t, h.notices("thief"))
	assert.Len(t, h.notices(AllProjects), 1, "the operator's own")
}

func TestNoticeOfShorterRetentionCountsExpiringRestorePoints(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"shorter_retention": "2 days", "shorter_retention_since": base})
	h.volume("plain", nil)
	h.record("old", point("b1", 8*day))      // expires before that by its own retention
	h.record("expiring", point("b2", 5*day)) // past the shorter retention then
	h.record("young", point("b3", 0))        // 7 days old then
	require.Equal(t, 1, h.notify())
	all := h.notices("p")
	require.Len(t, all, 1)
	assert.Equal(t, []any{backup.RetentionShortened, 3, 2, true}, []any{all[0].Kind, all[0].Points, all[0].Expiring, all[0].Holds})
	assert.Equal(t, []backup.Period{{Days: 14}, {Days: 2}}, []backup.Period{*all[0].Content.InForce, *all[0].Content.Shorter})
	h.exec(`UPDATE volumes SET shorter_retention = NULL, shorter_retention_since = NULL`)
	assert.False(t, h.notices("p")[0].Holds)
}

// A user who toggles a condition gets one notice per period, and another one after the period if the condition still holds.
func TestToggledConditionHasOneNoticePerPeriod(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("r", point("b1", hour))
	written := 0
	for range 24 {
		h.replaceProtectionEnd("v", "p", nil)
		h.exec(`UPDATE volumes SET shorter_retention = '1 day', shorter_retention_since = staffeln_now()`)
		written += h.notify() + h.notify()
		h.exec(`DELETE FROM protection_ends`)
		h.exec(`UPDATE volumes SET shorter_retention = NULL, shorter_retention_since = NULL`)
		require.Zero(t, h.notify())
		h.clock.Step(30 * time.Minute)
	}
	assert.Equal(t, 2, written, "one of each kind")
	h.replaceProtectionEnd("v", "p", nil)
	h.exec(`UPDATE volumes SET shorter_retention = '1 day', shorter_retention_since = staffeln_now()`)
	require.Zero(t, h.notify())
	h.clock.Step(13 * hour)
	assert.Equal(t, 2, h.notify())
	h.clock.Step(30 * day)
	assert.Zero(t, h.notify(), "a condition that lasts is logged once")
}

func TestNoticeIsMailedOnceToProjectAndOperator(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("r", point("b1", hour))
	h.replaceProtectionEnd("v", "p", nil)
	require.Equal(t, 1, h.notify())
	projects, operator, err := h.run().UnsentNotices(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, []any{[]string{"p"}, true}, []any{projects, operator})

	c := h.leaseReports("p")
	mail := NewReport{ID: "n1", CreatedAt: base, Content: []byte(`{}`), Mails: []NewMail{{"a", "<1>"}}}
	id := h.notices(AllProjects)[0].ID
	require.NoError(t, c.MakeNotice(h.ctx, mail, []int64{id}, false))
	mail.ID = "n2"
	h.changesNothing(func() { require.ErrorIs(t, c.MakeNotice(h.ctx, mail, []int64{id}, false), ErrStale) })
	state, err := c.State(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, []bool{false, true}, []bool{state.Open, state.MailDue}, "a notice delays no report")
	mails, err := c.Mails(h.ctx, false)
	require.NoError(t, err)
	require.Empty(t, mails, "no report waits")
	mails, err = c.Mails(h.ctx, true)
	require.NoError(t, err)
	require.Len(t, mails, 1)
	assert.True(t, mails[0].Notice)
	require.NoError(t, c.Sent(h.ctx, mails[0], "250 ok"))
	state, err = c.State(h.ctx)
	require.NoError(t, err)
	assert.Nil(t, state.DeliveredAt, "nor counts as one")
	before, err := c.ReportedBefore(h.ctx)
	require.NoError(t, err)
	assert.Nil(t, before)

	all := h.leaseReports(AllProjects)
	mail = NewReport{ID: "n3", CreatedAt: base, Content: []byte(`{}`), Mails: []NewMail{{"op", "<1>"}}}
	require.NoError(t, all.MakeNotice(h.ctx, mail, []int64{id}, false))
	projects, operator, err = h.run().UnsentNotices(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, []any{[]string{}, false}, []any{projects, operator})
	require.NoError(t, all.GiveUp(h.ctx, Mail{ReportID: "n3", Receiver: "op"}, "550"))
	_, operator, err = h.run().UnsentNotices(h.ctx)
	require.NoError(t, err)
	assert.True(t, operator, "what nobody got waits for another mail")
}

// Notices that were logged are not mailed to projects if mail is configured later.
func TestLoggedNoticeIsNotMailedLater(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"shorter_retention": "2 days", "shorter_retention_since": base})
	require.Equal(t, 1, h.notify())
	c := h.leaseReports(AllProjects)
	require.NoError(t, c.MakeNotice(h.ctx, NewReport{ID: "n", CreatedAt: base, Content: []byte(`{}`), Mails: []NewMail{{"log", "<1>"}}}, []int64{h.notices("p")[0].ID}, true))
	projects, operator, err := h.run().UnsentNotices(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, []any{[]string{}, false}, []any{projects, operator})
}

func TestNoticesAreDeletedWithHistoryUnlessTheyStillHold(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"shorter_retention": "2 days", "shorter_retention_since": base})
	h.record("r", point("b1", hour))
	h.replaceProtectionEnd("v", "p", nil)
	require.Equal(t, 2, h.notify())
	h.exec(`UPDATE volumes SET shorter_retention = NULL, shorter_retention_since = NULL`)
	h.clock.Step(40 * day)
	require.NoError(t, h.run().ForgetReports(h.ctx, new(base.Add(day))))
	assert.Equal(t, "protection_ended", h.text(`SELECT string_agg(kind, ',') FROM notices`))
	assert.Zero(t, h.notify())
}
