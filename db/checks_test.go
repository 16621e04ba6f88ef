package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
	"staffeln/internal/testkit/private"
)

func (h *harness) checks() *Checks {
	h.t.Helper()
	c, err := h.db.Checks(h.ctx)
	require.NoError(h.t, err)
	h.t.Cleanup(c.Close)
	return c
}

func TestDeletionReturnsRecordAndInstallation(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("r", point("b", hour).with(row{"repair": "force", "repaired_at": base}))
	c := h.checks()
	installation, err := h.db.Installation(h.ctx)
	require.NoError(t, err)

	d, err := c.Deletion(h.ctx, "nobody's")
	require.NoError(t, err)
	require.Equal(t, backup.DeleteRequest{Us: backup.Identity{Installation: installation}}, d)
	for range 2 {
		require.NoError(t, h.db.ServiceUser(h.ctx, "us"))
	}
	d, err = c.Deletion(h.ctx, "b")
	require.NoError(t, err)
	require.Equal(t, backup.DeleteRequest{Us: backup.Identity{Installation: installation, UserID: "us"}, Recorded: true, State: "available", Repair: "force"}, d)
	require.NoError(t, c.Ping(h.ctx))
}

func (h *harness) deleteChecks(allowed bool, limit int) (checks []RecordedCheck) {
	h.t.Helper()
	require.NoError(h.t, h.db.Snapshot(h.ctx, func(l *Snapshot) (err error) { checks, err = l.DeleteChecks(h.ctx, allowed, limit); return err }))
	return checks
}

func TestDeleteChecksAreAddedUpByHourAndDeletedWithHistory(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	c := h.checks()
	refused := DeleteCheck{Judgement: "on_record", Verified: true, BackupID: "b", UserID: "alice\x00", ProjectID: "p", Roles: "member", Asked: 2}
	allowed := DeleteCheck{Allowed: true, Judgement: "not_ours", Verified: true, UserID: "bob", Asked: 1000}
	add := func(checks ...DeleteCheck) {
		_, err := c.Add(h.ctx, checks, 0)
		require.NoError(t, err)
	}
	add(refused, allowed)
	h.clock.Set(base.Add(59 * time.Minute))
	twin := refused
	twin.UserID, twin.BackupID = "alice\uFFFD", "c" // the same name once its invalid byte is replaced
	add(refused, twin)
	h.clock.Set(base.Add(hour))
	add(refused)

	first := RecordedCheck{base, base.Add(59 * time.Minute), "refused", "on_record", true, "c", "alice\uFFFD", "p", "member", 6, "", "", "", ""}
	next := RecordedCheck{base.Add(hour), base.Add(hour), "refused", "on_record", true, "b", "alice\uFFFD", "p", "member", 2, "", "", "", ""}
	require.Equal(t, []RecordedCheck{next, first}, h.deleteChecks(false, 0))
	require.Equal(t, []RecordedCheck{next}, h.deleteChecks(false, 1))
	require.Len(t, h.deleteChecks(true, 0), 3)

	_, err := h.run().Forget(h.ctx, base.Add(hour))
	require.NoError(t, err)
	require.Equal(t, []RecordedCheck{next}, h.deleteChecks(true, 0))
}

func TestAllowedChecksDoNotUseUpTheRowLimitOfRefusals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	replicas := []*Checks{h.checks(), h.checks()}
	other, err := h.db.pool.Begin(h.ctx) // makes both replicas write at the same time
	require.NoError(t, err)
	t.Cleanup(func() { _ = other.Rollback(context.WithoutCancel(h.ctx)) })
	_, err = other.Exec(h.ctx, `SELECT pg_advisory_xact_lock(hashtext('staffeln delete_checks'))`)
	require.NoError(t, err)
	var wait sync.WaitGroup
	for replica, c := range replicas {
		var checks []DeleteCheck
		for i := range CheckRows + 50 {
			checks = append(checks, DeleteCheck{Allowed: true, Judgement: "not_ours", Verified: true, UserID: fmt.Sprintf("forged %d by %d", i, replica), Asked: 1})
		}
		checks = append(checks, DeleteCheck{Judgement: "on_record", UserID: "", Asked: 7}) // of unknown callers
		wait.Go(func() {
			_, err := c.Add(h.ctx, checks, 0)
			assert.NoError(t, err)
		})
	}
	testkit.Eventually(t, "both wait for their turn", time.Minute, func() bool {
		return h.count(`SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE d.datname = current_database() AND locktype = 'advisory' AND NOT granted`) == 2
	})
	require.NoError(t, other.Rollback(h.ctx))
	wait.Wait()
	_, err = replicas[0].Add(h.ctx, []DeleteCheck{{Judgement: "on_record", Verified: true, UserID: "alice", BackupID: "b", Asked: 1}}, 0)
	require.NoError(t, err)
	rows, sum := h.deleteChecks(true, 0), int64(0)
	named := map[string]int{}
	for _, r := range rows {
		sum += r.Asked
		if r.UserID != "" {
			named[r.Outcome]++
		}
	}
	require.Equal(t, map[string]int{"allowed": CheckRows, "refused": 1}, named, "both replicas together")
	require.Len(t, rows, CheckRows+3)
	require.EqualValues(t, 2*(CheckRows+50+7)+1, sum, "each is counted")
}

func TestBurstSumsAllReplicasAndNamesOnlyVerifiedUsers(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	one, other := h.checks(), h.checks()
	alice := DeleteCheck{Judgement: "on_record", Verified: true, UserID: "alice", ProjectID: "p", Asked: 2}
	bob := alice
	bob.UserID = "bob"
	anybody := DeleteCheck{Judgement: "on_record", Asked: 2}
	uncertified := DeleteCheck{Judgement: "no_certificate", Asked: 1000}
	allowed := DeleteCheck{Allowed: true, Judgement: "not_ours", Verified: true, UserID: "alice", Asked: 1000}
	add := func(c *Checks, rows ...DeleteCheck) (bursts []Burst) {
		bursts, err := c.Add(h.ctx, rows, 4)
		require.NoError(t, err)
		return bursts
	}
	require.Empty(t, add(one, alice, anybody, uncertified, allowed))
	require.Empty(t, add(other, bob))
	require.ElementsMatch(t, []Burst{{base, true, "alice", "p", 4}, {base, false, "", "", 4}}, add(other, alice, anybody))
	require.Empty(t, add(one, alice, anybody), "once")
	h.clock.Set(base.Add(time.Minute))
	require.Empty(t, add(one, alice), "another minute")
	h.clock.Set(base.Add(BurstTime + 2*time.Minute))
	require.Empty(t, add(one, bob))
	var left int
	require.NoError(t, h.db.pool.QueryRow(h.ctx, `SELECT count(*) FROM delete_refusals`).Scan(&left))
	require.Equal(t, 1, left)
}

func TestChecksReturnErrorOnStandby(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	server, err := private.StartPostgres(ctx, dir)
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop() })
	_, err = MigrateUp(ctx, server.URL)
	require.NoError(t, err)
	d, err := Open(ctx, server.URL, telemetry.NewMetrics())
	require.NoError(t, err)
	t.Cleanup(d.Close)
	c, err := d.Checks(ctx)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	_, err = c.Deletion(ctx, "b")
	require.NoError(t, err)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "postgres", "standby.signal"), nil, 0o644))
	require.NoError(t, server.Stop())
	require.NoError(t, server.Restart(ctx))
	testkit.Eventually(t, "its old connections are gone", 2*time.Minute, func() bool { return errors.Is(c.Ping(ctx), errStandby) })
	testkit.Eventually(t, "and the checks' connections return an error", 2*time.Minute, func() bool {
		_, err = c.Deletion(ctx, "b")
		require.Error(t, err)
		return errors.Is(err, errStandby)
	})
}
