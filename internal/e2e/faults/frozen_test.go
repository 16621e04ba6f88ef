//go:build faults

package faults

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// The leader is frozen in the middle of its plan, as when its machine hangs or is migrated, and another one takes over. The
// old leader continues after that, and the database accepts none of its writes.
func TestFrozenLeaderUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).withInstances()
	r.logWrites()
	for range 2 {
		release := r.Sim.AddFault(cloudsim.Fault{Route: "GET /volume/v3/{project}/volumes/detail", Times: 1, Do: cloudsim.Stall{}})
		fired := r.events(cloudsim.FaultFired)
		r.waitFor(soon, "a plan is in the middle", func() bool { return r.events(cloudsim.FaultFired) > fired })
		old, term := r.leader()
		require.NotNil(t, old, "nobody leads")
		require.NoError(t, old.Cmd.Process.Signal(syscall.SIGSTOP))
		frozen := time.Now()
		lostLeadership := old.logged("leadership lost")
		r.waitFor(time.Minute, "another leads", func() bool { m, now := r.leader(); return m != old && now > term })
		t.Logf("another led %.1f s after the leader was frozen", time.Since(frozen).Seconds())
		taken := r.lastWrite()
		release() // the response is there before the old leader continues
		r.wait(r.randomTime(2*time.Second, 8*time.Second))
		require.NoError(t, old.Cmd.Process.Signal(syscall.SIGCONT))
		r.waitFor(time.Minute, "the old leader logs that it lost leadership", func() bool { return old.logged("leadership lost") > lostLeadership })
		r.wait(3 * time.Second)
		require.Empty(t, r.writesOf(old, taken), "writes of the old leader since another led")
	}
	r.requireRecovery(soon)
}

// A worker is frozen with unread responses of Cinder, for longer than its leases: then, and not before, another worker takes
// over its volumes. The first worker continues while the other works, and writes nothing.
func TestFrozenWorkerUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).withInstances()
	r.logWrites()
	victim, other := r.instances[2], r.instances[3]
	require.NoError(t, other.Cmd.Process.Signal(syscall.SIGSTOP)) // so that the frozen worker has all the tasks
	release := r.hangCreations(4)
	fired := r.events(cloudsim.FaultFired)
	r.waitFor(soon, "four creations are executed and have no response", func() bool { return r.events(cloudsim.FaultFired) == fired+4 })
	require.NoError(t, victim.Cmd.Process.Signal(syscall.SIGSTOP))
	records, volumes, over := r.unconfirmed(victim)
	require.NotEmpty(t, records, "requests of the frozen worker: fewer than four if the other worker had sent one before it was stopped")
	endFault := r.Sim.AddFault(cloudsim.Fault{
		Route: rig.ListRoute, Do: cloudsim.Stall{},
		Match: func(q cloudsim.Request) bool { return slices.Contains(volumes, q.Query.Get("volume_id")) },
	})
	mark, frozen := r.lastWrite(), time.Now()
	require.NoError(t, other.Cmd.Process.Signal(syscall.SIGCONT))
	r.waitFor(afterLease, "another worker has taken over its volumes", func() bool {
		var taken int
		require.NoError(t, r.DB.QueryRow(r.Ctx, `SELECT count(*) FROM volumes WHERE id = ANY($1) AND lease_until > $2::timestamptz + interval '1 minute'`, volumes, over).Scan(&taken))
		return taken == len(volumes)
	})
	t.Logf("another worker had leased its volumes %.0f s after the worker was frozen", time.Since(frozen).Seconds())
	var early int
	require.NoError(t, r.DB.QueryRow(r.Ctx, `SELECT count(*) FROM noted WHERE who = $1 AND n > $2 AND at < $3 AND what LIKE '% volumes' AND is_now->>'id' = ANY($4)`,
		other.name, mark, over, volumes).Scan(&early))
	require.Zero(t, early, "leases of volumes before the frozen worker's leases expired")

	release()
	late, mark := victim.logged("lease lost, nothing written"), r.lastWrite()
	require.NoError(t, victim.Cmd.Process.Signal(syscall.SIGCONT))
	r.waitFor(time.Minute, "the continued worker logs that it lost its lease", func() bool { return victim.logged("lease lost, nothing written") > late })
	for _, id := range records {
		require.Empty(t, r.writesOf(victim, mark, id), "writes of the continued worker about a record of another worker's lease")
	}
	endFault()
	r.requireRecovery(afterLease)
}

// unconfirmed returns the records, with their volumes, for which a worker asked Cinder for a backup and has no response yet, and
// when the first of its leases on them expires.
func (r *installation) unconfirmed(by *instance) (records, volumes []string, over time.Time) {
	r.T.Helper()
	require.NoError(r.T, r.DB.QueryRow(r.Ctx, `SELECT array_agg(r.id), array_agg(v.id), coalesce(min(v.lease_until), now()) FROM records r JOIN volumes v ON v.id = r.volume_id
		WHERE r.state = 'creating' AND r.backup_id IS NULL
			AND EXISTS (SELECT FROM noted WHERE who = $1 AND what = 'UPDATE volumes' AND is_now->>'lease_token' = v.lease_token)`, by.name).Scan(&records, &volumes, &over))
	return records, volumes, over
}

// logWrites makes Postgres log who changes which row.
func (r *installation) logWrites() {
	r.T.Helper()
	r.exec(`CREATE TABLE noted (n bigserial, at timestamptz DEFAULT clock_timestamp(), who text DEFAULT session_user, what text, was jsonb, is_now jsonb)`)
	r.exec(`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO noted (what, was, is_now) VALUES (TG_OP || ' ' || TG_TABLE_NAME, to_jsonb(OLD), to_jsonb(NEW)); RETURN NULL; END $$`)
	for _, table := range []string{"leadership", "volumes", "records", "findings"} {
		r.exec(`CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON ` + table + ` FOR EACH ROW EXECUTE FUNCTION note()`)
	}
}

// lastWrite returns the number of the newest logged write.
func (r *installation) lastWrite() (n int64) {
	r.T.Helper()
	require.NoError(r.T, r.DB.QueryRow(r.Ctx, `SELECT coalesce(max(n), 0) FROM noted`).Scan(&n))
	return n
}

// writesOf returns the rows that a process changed after the given write; with words, only rows that contain the first of
// them.
func (r *installation) writesOf(m *instance, since int64, words ...string) (writes []string) {
	r.T.Helper()
	rows, err := r.DB.Query(r.Ctx, `SELECT what || ': ' || is_now FROM noted WHERE who = $1 AND n > $2 ORDER BY n`, m.name, since)
	require.NoError(r.T, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(r.T, err)
	return slices.DeleteFunc(all, func(w string) bool { return len(words) > 0 && !strings.Contains(w, words[0]) })
}
