package db

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
	"staffeln/internal/testkit/private"
)

func (h *house) checks() *Checks {
	h.t.Helper()
	c, err := h.db.Checks(h.ctx)
	require.NoError(h.t, err)
	h.t.Cleanup(c.Close)
	return c
}

func TestDeletion_TellsWhatIsKnownOfABackupAndOfUs(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.volume("v", nil)
	h.record("r", point("b", hour).with(row{"repair": "force", "repaired_at": base}))
	c := h.checks()
	installation, err := h.db.Installation(h.ctx)
	require.NoError(t, err)

	d, err := c.Deletion(h.ctx, "nobody's")
	require.NoError(t, err)
	require.Equal(t, backup.Deletion{Us: backup.Identity{Installation: installation}}, d)
	for range 2 {
		require.NoError(t, h.db.ServiceUser(h.ctx, "us"))
	}
	d, err = c.Deletion(h.ctx, "b")
	require.NoError(t, err)
	require.Equal(t, backup.Deletion{Us: backup.Identity{Installation: installation, UserID: "us"}, Recorded: true, State: "available", Repair: "force"}, d)
	require.NoError(t, c.Ping(h.ctx))
}

func TestTold_AddsToTheHourAndIsForgottenWithHistory(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.checks()
	refused := DeleteCheck{Verdict: "on_record", BackupID: "b", UserID: "alice\x00", ProjectID: "p", Roles: "member", Asked: 2}
	allowed := DeleteCheck{Allowed: true, Verdict: "not_ours", UserID: "bob", Asked: 1000}
	require.NoError(t, c.Told(h.ctx, []DeleteCheck{refused, allowed}))
	h.clock.Set(base.Add(59 * time.Minute))
	twin := refused
	twin.UserID = "alice\uFFFD" // what can't be stored is the same then
	require.NoError(t, c.Told(h.ctx, []DeleteCheck{refused, twin}))
	h.clock.Set(base.Add(hour))
	require.NoError(t, c.Told(h.ctx, []DeleteCheck{refused}))

	look := func(allowed bool, limit int) (told []ToldCheck) {
		require.NoError(t, h.db.Look(h.ctx, func(l *Look) (err error) { told, err = l.DeleteChecks(h.ctx, allowed, limit); return err }))
		return told
	}
	first := ToldCheck{base, base.Add(59 * time.Minute), "refused", "on_record", "b", "alice\uFFFD", "p", "member", 6}
	next := ToldCheck{base.Add(hour), base.Add(hour), "refused", "on_record", "b", "alice\uFFFD", "p", "member", 2}
	require.Equal(t, []ToldCheck{next, first}, look(false, 0))
	require.Equal(t, []ToldCheck{next}, look(false, 1))
	require.Len(t, look(true, 0), 3)

	_, err := h.beat().Forget(h.ctx, base.Add(hour))
	require.NoError(t, err)
	require.Equal(t, []ToldCheck{next}, look(true, 0))
}

func TestChecks_AStandbyAnswersNothing(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	server, err := private.StartPostgres(ctx, dir)
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop() })
	_, err = MigrateUp(ctx, server.URL)
	require.NoError(t, err)
	memory, err := Open(ctx, server.URL, telemetry.NewMetrics())
	require.NoError(t, err)
	t.Cleanup(memory.Close)
	c, err := memory.Checks(ctx)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	_, err = c.Deletion(ctx, "b")
	require.NoError(t, err)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "postgres", "standby.signal"), nil, 0o644))
	require.NoError(t, server.Stop())
	require.NoError(t, server.Restart(ctx))
	testkit.Eventually(t, "its old connections are gone", 2*time.Minute, func() bool { return errors.Is(c.Ping(ctx), errStandby) })
	_, err = c.Deletion(ctx, "b")
	require.ErrorIs(t, err, errStandby)
}
