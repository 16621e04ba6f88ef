package process

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit"
)

// demoStores is a demo's own database and Redis.
type demoStores struct {
	t    *testing.T
	env  map[string]string
	conn *pgx.Conn
}

func newDemoStores(t *testing.T) *demoStores {
	t.Helper()
	url := testkit.DatabaseURL(t, nil)
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(t.Context()) }) // the database is dropped
	return &demoStores{t: t, conn: conn, env: map[string]string{"STAFFELN_DATABASE_URL": url, "STAFFELN_REDIS_URL": testkit.RedisURL(t), "TMPDIR": t.TempDir()}}
}

// requireClean asserts that there are no connections and no tables left.
func (h *demoStores) requireClean() {
	h.t.Helper()
	h.requireEnded()
	var tables int
	require.NoError(h.t, h.conn.QueryRow(h.t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&tables))
	require.Zero(h.t, tables, "tables that the demo left")
}

func (h *demoStores) requireEnded() {
	h.t.Helper()
	testkit.Eventually(h.t, "every process of the demo has ended", time.Minute, func() bool {
		var others int
		const q = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`
		require.NoError(h.t, h.conn.QueryRow(h.t.Context(), q).Scan(&others))
		return others == 0
	})
}

// demo starts a demo.
func (h *demoStores) demo() *rig.Process {
	h.t.Helper()
	return rig.LaunchBinary(h.t, rig.Simulation(h.t), h.env, "demo")
}

// started launches a demo and waits until its processes are ready.
func (h *demoStores) started() *rig.Process {
	h.t.Helper()
	p := h.demo()
	testkit.Eventually(h.t, "the demo's processes are ready", time.Minute, func() bool {
		select {
		case <-p.Done:
			h.t.Fatalf("the demo has ended: %s", p.Log)
		default:
		}
		return strings.Contains(p.Log.String(), "are ready.")
	})
	return p
}

func TestDemoOutput(t *testing.T) {
	t.Parallel()
	h := newDemoStores(t)
	out, code := h.demo().Result()
	require.Zero(t, code, out)
	require.NotContains(t, out, "\x1b", "escape codes without a terminal")
	for _, line := range []string{
		"3 projects and 12 volumes", "planned a backup of each of 12 volumes", "archive/vault failed: quota_exceeded, the tenant must take action",
		"wants to delete the full of shop/", "Cinder asks the api, and refuses (403)", "11 full backups", "Found by its tag and adopted", "worker-1 is dead", "nothing was lost", "its newest link, an incremental, is removed first", "is gone, leaf first: incremental",
		"1   of 1 whose response was lost", "violations         0", "Next, with a cloud of your own",
	} {
		require.Contains(t, out, line)
	}
	t.Log(out)
	h.requireClean()
}

func TestInterruptedDemoCleansUp(t *testing.T) {
	t.Parallel()
	h := newDemoStores(t)
	p := h.started()
	for range 2 { // Ctrl-C in a terminal may arrive more than once
		require.NoError(t, p.Cmd.Process.Signal(syscall.SIGINT))
	}
	<-p.Done
	require.Equal(t, 1, p.Cmd.ProcessState.ExitCode())
	require.Contains(t, p.Log.String(), "interrupted")
	h.requireClean()
}

// A demo that is killed leaves no process, and the next one removes its tables.
func TestKilledDemoLeavesNoProcess(t *testing.T) {
	t.Parallel()
	h := newDemoStores(t)
	h.started().Kill()
	h.requireEnded()
	h.started().Stop()
	h.requireClean()
}

func TestDemoRefusesADatabaseInUse(t *testing.T) {
	t.Parallel()
	h := newDemoStores(t)
	out, code := rig.Output(t, h.env, "migrate", "up")
	require.Zero(t, code, out)
	out, code = h.demo().Result()
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "it has tables of Staffeln")
	require.Contains(t, out, "createdb")
	var installation string
	require.NoError(t, h.conn.QueryRow(t.Context(), `SELECT id FROM installation`).Scan(&installation), "the tables are still there")
}
