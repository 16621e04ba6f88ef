package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func (h *harness) leaseReports(group string) *ReportLease {
	h.t.Helper()
	c, err := h.db.LeaseReports(h.ctx, group, 2*time.Minute)
	require.NoError(h.t, err)
	return c
}

func (h *harness) unreported() []string {
	h.t.Helper()
	var all []string
	require.NoError(h.t, h.db.Snapshot(h.ctx, func(l *Snapshot) error {
		results, err := l.Results(h.ctx, "")
		for _, r := range results {
			all = append(all, r.ID)
		}
		return err
	}))
	return all
}

// newReportHarness has two projects with results: p with a success and a failure, q with a success, and records that are not to
// be reported yet.
func newReportHarness(t *testing.T) *harness {
	h := newHarness(t)
	h.volume("v", nil)
	h.volume("w", row{"project_id": "q"})
	h.record("made", point("b1", 3*hour).with(row{"created_at": base.Add(-3 * hour)}))
	h.record("failed", shapes["failed"].with(row{"created_at": base.Add(-2 * hour)}))
	h.record("in progress", shapes["creating"].with(row{"backup_id": "b2", "created_at": base.Add(-9 * hour)}))
	h.record("withdrawn", shapes["withdrawn"].with(row{"created_at": base.Add(-9 * hour)}))
	h.record("elsewhere", point("b3", hour).with(row{"volume_id": "w", "project_id": "q", "created_at": base.Add(-hour)}))
	return h
}

func TestUnreportedReturnsResultsByProject(t *testing.T) {
	t.Parallel()
	h := newReportHarness(t)
	all, err := h.run().Unreported(h.ctx, rpo(24*hour))
	require.NoError(t, err)
	assert.ElementsMatch(t, []Unreported{
		{ProjectID: "p", Result: new(base.Add(-3 * hour))}, {ProjectID: "q", Result: new(base.Add(-hour))},
	}, all)
	assert.Equal(t, []string{"elsewhere", "failed", "made"}, h.unreported())
	one, err := h.leaseReports("q").Unreported(h.ctx, rpo(24*hour))
	require.NoError(t, err)
	assert.Equal(t, []Unreported{{ProjectID: "q", Result: new(base.Add(-hour))}}, one)

	h.exec(`UPDATE leadership SET planned_at = $1`, base.Add(-hour))
	h.exec(`UPDATE volumes SET decided_at = $1`, base)
	h.record("hangs", shapes["undeletable"].with(row{"backup_id": "b4", "created_at": base.Add(-9 * hour), "report_id": "reported"}))
	require.NoError(t, h.insert("findings", row{"reason": "a", "object": "o", "project_id": "q", "detail": "", "since": base.Add(-5 * hour), "seen_at": base}))
	all, err = h.run().Unreported(h.ctx, rpo(2*hour)) // made is older, so v is late since an hour
	require.NoError(t, err)
	assert.ElementsMatch(t, []Unreported{
		{ProjectID: "p", Result: new(base.Add(-3 * hour)), Matter: new(base.Add(-hour))},
		{ProjectID: "q", Result: new(base.Add(-hour)), Matter: new(base.Add(-5 * hour))},
	}, all)
}

// A volume without a restore point is reported once it has waited for longer than the late age.
func TestVolumeWithoutRestorePointIsReportedAfterTheLateAge(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.exec(`UPDATE leadership SET planned_at = $1`, base.Add(-hour))
	h.volume("new", row{"decided_at": base, "protected_since": base.Add(-2 * hour)})
	all, err := h.run().Unreported(h.ctx, rpo(2*hour))
	require.NoError(t, err)
	assert.Empty(t, all)
	h.volume("old", row{"decided_at": base, "protected_since": base.Add(-5 * hour)})
	all, err = h.leaseReports("p").Unreported(h.ctx, rpo(2*hour))
	require.NoError(t, err)
	assert.Equal(t, []Unreported{{ProjectID: "p", Matter: new(base.Add(-3 * hour))}}, all)
}

func TestReportMarksExactlyItsRecordsOnce(t *testing.T) {
	t.Parallel()
	h := newReportHarness(t)
	c := h.leaseReports("p")
	r := NewReport{ID: "r1", CreatedAt: base, Content: []byte(`{"id": "r1"}`), Records: []string{"made", "failed"}, Mails: []NewMail{{"a@p.example", "<1>"}, {"b@p.example", "<2>"}}}
	h.record("meanwhile", point("b5", hour))
	require.NoError(t, c.Make(h.ctx, r))
	assert.ElementsMatch(t, []string{"elsewhere", "meanwhile"}, h.unreported(), "what ended in between waits for the next one")

	r.ID = "r2"
	h.changesNothing(func() { require.ErrorIs(t, c.Make(h.ctx, r), ErrStale) })
	r.Records = []string{"in progress"}
	h.changesNothing(func() { require.ErrorIs(t, c.Make(h.ctx, r), ErrStale) })

	mails, err := c.Mails(h.ctx, false)
	require.NoError(t, err)
	assert.Equal(t, []Mail{{"r1", "a@p.example", "<1>", false, base, 0}, {"r1", "b@p.example", "<2>", false, base, 0}}, mails)
	content, err := c.Content(h.ctx, "r1")
	require.NoError(t, err)
	assert.JSONEq(t, `{"id": "r1"}`, string(content))
	g, err := c.State(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, ReportGroup{ID: "p", Open: true, MailDue: true, Leased: true}, g)

	require.NoError(t, c.NotSent(h.ctx, mails[0], "550 no", base.Add(hour)))
	require.NoError(t, c.Sent(h.ctx, mails[1], "250 ok"))
	require.NoError(t, c.Release(h.ctx))
	groups, err := h.run().ReportGroups(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, map[string]ReportGroup{"p": {ID: "p", DeliveredAt: new(base)}}, groups, "one failed, and does not delay the next report")
	h.clock.Set(base.Add(hour))
	c = h.leaseReports("p")
	mails, err = c.Mails(h.ctx, false)
	require.NoError(t, err)
	assert.Equal(t, []Mail{{"r1", "a@p.example", "<1>", false, base, 1}}, mails)
	before, err := c.ReportedBefore(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, base, before.UTC())
}

func TestExpiredReportLeaseRecordsOnlySentMails(t *testing.T) {
	t.Parallel()
	h := newReportHarness(t)
	old := h.leaseReports("p")
	_, err := h.db.LeaseReports(h.ctx, "p", time.Minute)
	require.ErrorIs(t, err, ErrLeased)
	require.NoError(t, old.Make(h.ctx, NewReport{ID: "r1", CreatedAt: base, Content: []byte(`{}`), Mails: []NewMail{{"a", "<1>"}, {"b", "<2>"}}}))
	h.clock.Set(base.Add(2 * time.Minute))
	groups, err := h.run().ReportGroups(h.ctx)
	require.NoError(t, err)
	assert.True(t, groups["p"].Abandoned)
	next := h.leaseReports("p")
	h.changesNothing(func() {
		require.NoError(t, old.Release(h.ctx))
		require.ErrorIs(t, old.Make(h.ctx, NewReport{ID: "r2", CreatedAt: base, Content: []byte(`{}`)}), ErrStale)
		require.ErrorIs(t, old.NotSent(h.ctx, Mail{ReportID: "r1", Receiver: "a"}, "x", base), ErrStale)
		require.ErrorIs(t, old.GiveUp(h.ctx, Mail{ReportID: "r1", Receiver: "a"}, "x"), ErrStale)
		require.ErrorIs(t, old.NotMade(h.ctx, "x", base), ErrStale)
	})
	require.NoError(t, old.Sent(h.ctx, Mail{ReportID: "r1", Receiver: "a"}, "250 ok"), "the receiver has it, even if the lease is lost")
	h.changesNothing(func() { require.NoError(t, next.NotSent(h.ctx, Mail{ReportID: "r1", Receiver: "a"}, "x", base)) })
	mails, err := next.Mails(h.ctx, false)
	require.NoError(t, err)
	require.Len(t, mails, 1)
	assert.Equal(t, "b", mails[0].Receiver)
}

func TestUndeliveredReportIsRepeatedByTheNext(t *testing.T) {
	t.Parallel()
	h := newReportHarness(t)
	c := h.leaseReports("p")
	require.NoError(t, c.Make(h.ctx, NewReport{ID: "r1", CreatedAt: base, Content: []byte(`{}`), Records: []string{"made", "failed"}, Mails: []NewMail{{"a", "<1>"}, {"b", "<2>"}}}))
	require.NoError(t, c.GiveUp(h.ctx, Mail{ReportID: "r1", Receiver: "a"}, "550"))
	assert.Equal(t, []string{"elsewhere"}, h.unreported(), "b may get it")
	require.NoError(t, c.GiveUp(h.ctx, Mail{ReportID: "r1", Receiver: "b"}, "550"))
	assert.Equal(t, []string{"elsewhere", "failed", "made"}, h.unreported())
	before, err := c.ReportedBefore(h.ctx)
	require.NoError(t, err)
	assert.Nil(t, before)
}

func TestForgetReportsKeepsRecordsReported(t *testing.T) {
	t.Parallel()
	h := newReportHarness(t)
	c := h.leaseReports("p")
	require.NoError(t, c.Make(h.ctx, NewReport{ID: "old", CreatedAt: base.Add(-30 * 24 * hour), Content: []byte(`{}`), Records: []string{"made"}, Mails: []NewMail{{"a", "<1>"}}}))
	require.NoError(t, c.Make(h.ctx, NewReport{ID: "waits", CreatedAt: base.Add(-30 * 24 * hour), Content: []byte(`{}`), Mails: []NewMail{{"a", "<2>"}}}))
	require.NoError(t, c.Make(h.ctx, NewReport{ID: "young", CreatedAt: base.Add(-8 * 24 * hour), Content: []byte(`{}`), Records: []string{"failed"}, Mails: []NewMail{{"a", "<3>"}}}))
	for _, report := range []string{"old", "young"} {
		require.NoError(t, c.Sent(h.ctx, Mail{ReportID: report, Receiver: "a"}, ""))
	}
	require.NoError(t, h.run().ForgetReports(h.ctx, new(base.Add(-20*24*hour))))
	assert.Equal(t, "waits+,young-", h.text(`SELECT string_agg(id || CASE WHEN content IS NULL THEN '-' ELSE '+' END, ',' ORDER BY id) FROM reports`))
	assert.Equal(t, []string{"elsewhere"}, h.unreported())
}

func TestResultsAndLatenessOfAReport(t *testing.T) {
	t.Parallel()
	h := newReportHarness(t)
	h.exec(`UPDATE volumes SET decision_until = $1, reason = 'retry_later' WHERE id = 'v'`, base.Add(hour))
	h.exec(`UPDATE records SET ended_at = $1 WHERE id = 'made'`, base.Add(-30*time.Minute))
	h.exec(`UPDATE records SET available_at = $1 WHERE id = 'made'`, base.Add(-30*time.Minute))
	var all []Result
	require.NoError(t, h.db.Snapshot(h.ctx, func(l *Snapshot) (err error) { all, err = l.Results(h.ctx, "p"); return err }))
	require.Len(t, all, 2)
	made, failed := all[0], all[1]
	assert.Nil(t, made.SucceededAt)
	assert.Equal(t, base.Add(-30*time.Minute), failed.SucceededAt.UTC())
	assert.True(t, failed.Wanted)
	assert.True(t, failed.InProgress)

	var lates []Lateness
	h.exec(`UPDATE leadership SET planned_at = $1`, base.Add(-hour))
	h.exec(`UPDATE volumes SET decided_at = $1`, base)
	h.volume("new", row{"decided_at": base, "protected_since": base.Add(-5 * hour)})
	require.NoError(t, h.db.Snapshot(h.ctx, func(l *Snapshot) (err error) { lates, err = l.Lateness(h.ctx, rpo(2*hour), "p"); return err }))
	require.Len(t, lates, 2)
	assert.Equal(t, []backup.Protection{backup.Late, backup.Late}, []backup.Protection{lates[0].Protection(), lates[1].Protection()})
	assert.Nil(t, lates[0].NewestAt)
	assert.Equal(t, base.Add(-5*hour), lates[0].ProtectedSince.UTC())
	require.NoError(t, h.db.Snapshot(h.ctx, func(l *Snapshot) error {
		sizes, err := l.ProjectSizes(h.ctx, "")
		assert.Equal(t, map[string]ProjectSize{"p": {Project{"p", "one"}, 2}, "q": {Project{"q", "one"}, 1}}, sizes)
		return err
	}))
}
