package db

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// recordedBefore is what an api of before migration 10 runs.
const recordedBefore = `
	INSERT INTO delete_checks AS c (hour, answer, verdict, backup_id, user_id, project_id, roles, asked, first_at, last_at)
	VALUES (date_trunc('hour', staffeln_now()), 'refused', 'on_record', $1, 'alice', 'p', 'member', 2, staffeln_now(), staffeln_now())
	ON CONFLICT (hour, answer, verdict, backup_id, user_id, project_id, roles)
	DO UPDATE SET asked = c.asked + EXCLUDED.asked, last_at = EXCLUDED.last_at`

func TestAnApiOfTheVersionBeforeRecordsOnAndIsShownAsNotVerified(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.checks()
	h.exec(recordedBefore, "b")
	h.exec(recordedBefore, "c")
	h.clock.Set(base.Add(time.Minute))
	h.exec(recordedBefore, "b")
	_, err := c.Told(h.ctx, []DeleteCheck{{Verdict: "on_record", Verified: true, BackupID: "b", UserID: "alice", ProjectID: "p", Roles: "member", Asked: 1}}, 0)
	require.NoError(t, err)

	at := base.Add(time.Minute)
	now := ToldCheck{at, at, "refused", "on_record", true, "b", "alice", "p", "member", 1}
	b := ToldCheck{base, at, "refused", "on_record", false, "b", "alice", "p", "member", 4}
	other := ToldCheck{base, base, "refused", "on_record", false, "c", "alice", "p", "member", 2}
	require.Equal(t, []ToldCheck{now, b, other}, h.deleteChecks(false, 0))

	_, err = h.beat().Forget(h.ctx, at)
	require.NoError(t, err)
	require.Equal(t, []ToldCheck{now, b}, h.deleteChecks(true, 0))
}

// Who asked is kept where an operator goes back to the version before.
func TestTakenBackTheTableOfBeforeHasWhoAsked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.checks()
	h.exec(recordedBefore, "b")
	h.clock.Set(base.Add(time.Minute))
	_, err := c.Told(h.ctx, []DeleteCheck{
		{Verdict: "on_record", Verified: true, BackupID: "b", UserID: "alice", ProjectID: "p", Roles: "member", Asked: 1},
		{Verdict: "on_record", Asked: 5},
		{Allowed: true, Verdict: "not_ours", Verified: true, UserID: "bob", Asked: 7},
	}, 0)
	require.NoError(t, err)

	for slices.ContainsFunc(h.applied(), func(m Migration) bool { return m.Version >= 10 }) {
		_, err = MigrateDown(h.ctx, h.url)
		require.NoError(t, err)
	}
	const all = `SELECT string_agg(concat_ws(' ', answer, verdict, backup_id, user_id, asked, last_at - first_at), ', ' ORDER BY answer, verdict) FROM delete_checks`
	require.Equal(t, "allowed not_ours  bob 7 00:00:00, refused more   5 00:00:00, refused on_record b alice 3 00:01:00", ask(t, h.url, all))
}

// applied are the migrations that the database has.
func (h *house) applied() []Migration {
	h.t.Helper()
	all, err := MigrationStatus(h.ctx, h.url)
	require.NoError(h.t, err)
	return slices.DeleteFunc(all, func(m Migration) bool { return !m.Applied })
}
