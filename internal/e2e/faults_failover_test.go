//go:build faults

package e2e

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/internal/invariants"
)

// Postgres fails over to a replica that had not got the last seconds of commits. What they told is lost: backups that
// Cinder has and no record knows, which are kept and told; backups that were removed meanwhile, which are recorded as
// lost; requests that are made again, whose second backup gets a record of its own. Nothing else is wrong.
func TestPostgresFailedOverUnderFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t, with(map[string]string{
		"STAFFELN_MAX_BACKUPS_IN_PROGRESS": "0", "STAFFELN_MAX_BACKUPS_IN_PROGRESS_PER_PROJECT": "0",
		"STAFFELN_MAX_REMOVALS_IN_PROGRESS": "1", // more than ten losses at once are not believed
	}))
	r.policy.uncapped = true // nobody remembers what is in progress
	r.crewed()
	replica := filepath.Join(r.home, "replica")
	r.replicate(replica)
	at := len(r.records())
	r.within(soon, "commits are made that the replica does not get", func() bool {
		return len(r.records()) >= at+8 && r.count(`state = 'creating'`) >= 4
	})
	before := r.records()
	require.NoError(t, r.postgres.Kill())
	require.NoError(t, os.Rename(filepath.Join(r.home, "postgres"), filepath.Join(r.home, "failed")))
	require.NoError(t, os.Rename(replica, filepath.Join(r.home, "postgres")))
	r.back(r.postgres)
	after := r.records()
	lost := 0
	for id, state := range before {
		if after[id] != state {
			lost++
		}
	}
	t.Logf("%d of %d records were lost, or fell back", lost, len(before))
	require.Positive(t, lost)
	r.alive()
	r.freshens(afterLease)
	r.rests()
	r.onlyOrphans()
}

// records are the states of all records.
func (r *rig) records() map[string]string {
	r.t.Helper()
	rows, err := r.db.Query(r.ctx, `SELECT id, state FROM records`)
	require.NoError(r.t, err)
	states := map[string]string{}
	for rows.Next() {
		var id, state string
		require.NoError(r.t, rows.Scan(&id, &state))
		states[id] = state
	}
	require.NoError(r.t, rows.Err())
	return states
}

// replicate copies the running Postgres.
func (r *rig) replicate(to string) {
	r.t.Helper()
	copied := exec.CommandContext(r.ctx, filepath.Join(filepath.Dir(r.postgres.Binary), "pg_basebackup"),
		"--dbname="+r.url, "--pgdata="+to, "--checkpoint=fast", "--wal-method=stream", "--no-sync")
	out, err := copied.CombinedOutput()
	require.NoError(r.t, err, string(out))
	info, err := os.Stat(filepath.Join(r.home, "postgres"))
	require.NoError(r.t, err)
	owner, ok := info.Sys().(*syscall.Stat_t)
	require.True(r.t, ok)
	require.NoError(r.t, filepath.WalkDir(to, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(owner.Uid), int(owner.Gid))
	}))
}

// onlyOrphans checks that the only laws that are broken are about backups that no record knows, and that each of them is
// a finding and is named by the doctor.
func (r *rig) onlyOrphans() {
	r.t.Helper()
	var orphans, others []string
	for _, v := range r.broken() {
		if v.Invariant == invariants.Orphan {
			orphans = append(orphans, v.Backup)
		} else {
			others = append(others, v.String())
		}
	}
	require.Empty(r.t, others, "broken laws")
	require.NotEmpty(r.t, orphans, "the lost commits made no orphan: nothing was tried")
	slices.Sort(orphans)
	orphans = slices.Compact(orphans)
	for _, id := range orphans {
		var found int
		require.NoError(r.t, r.db.QueryRow(r.ctx, `SELECT count(*) FROM findings WHERE object = $1 AND reason = 'orphan'`, id).Scan(&found))
		require.Equal(r.t, 1, found, "findings about backup %s", id)
	}
	r.within(soon, "the doctor names all of them", func() bool { // it leaves the sweep time for each
		said := r.doctor("invariants")
		return !slices.ContainsFunc(orphans, func(id string) bool { return !strings.Contains(said, id) })
	})
	r.t.Logf("%d orphans, each told; %d requests made twice; %d records lost; %d backups in Cinder",
		len(orphans), r.twins(), r.count(`state = 'lost'`), len(r.sim.Backups()))
	require.Equal(r.t, r.twins(), r.count(`reason = 'twin_backup'`))
}

// doctor is what the doctor finds wrong in one of its checks.
func (r *rig) doctor(check string) (said string) {
	r.t.Helper()
	out, code := finish(r.t, r.env, "doctor", "--json")
	require.Contains(r.t, []int{0, 3, 4}, code, out)
	var all struct {
		Findings []struct{ Check, Text string }
	}
	require.NoError(r.t, json.NewDecoder(strings.NewReader(out)).Decode(&all), out) // a line for people follows
	for _, f := range all.Findings {
		if f.Check == check {
			said += f.Text + "\n"
		}
	}
	return said
}
