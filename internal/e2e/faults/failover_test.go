//go:build faults

package faults

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

	"staffeln/internal/e2e/rig"
	"staffeln/internal/invariants"
)

// Postgres fails over to a replica without the commits of the last seconds. Backups that only these commits knew are kept and
// reported as orphans; backups that were removed meanwhile are recorded as lost; requests that are repeated create a second
// backup, with its own record. Nothing else is wrong.
func TestPostgresFailedOverUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t, with(map[string]string{
		"STAFFELN_MAX_BACKUPS_IN_PROGRESS": "0", "STAFFELN_MAX_BACKUPS_IN_PROGRESS_PER_PROJECT": "0",
		"STAFFELN_MAX_REMOVALS_IN_PROGRESS": "1", // more than ten losses at once are not confirmed
	}))
	r.policy.uncapped = true // the replica does not know what is in progress
	r.withInstances()
	replica := filepath.Join(r.home, "replica")
	r.replicate(replica)
	at := len(r.records())
	r.waitFor(soon, "commits are made that the replica does not get", func() bool {
		return len(r.records()) >= at+8 && r.Count(`state = 'creating'`) >= 4
	})
	before := r.records()
	require.NoError(t, r.postgres.Kill())
	require.NoError(t, os.Rename(filepath.Join(r.home, "postgres"), filepath.Join(r.home, "failed")))
	require.NoError(t, os.Rename(replica, filepath.Join(r.home, "postgres")))
	r.restart(r.postgres)
	after := r.records()
	lost := 0
	for id, state := range before {
		if after[id] != state {
			lost++
		}
	}
	t.Logf("%d of %d records were lost, or fell back", lost, len(before))
	require.Positive(t, lost)
	r.requireAlive()
	r.waitFresh(afterLease)
	r.waitIdle()
	r.requireOnlyOrphans()
}

// records returns the state of each record.
func (r *installation) records() map[string]string {
	r.T.Helper()
	rows, err := r.DB.Query(r.Ctx, `SELECT id, state FROM records`)
	require.NoError(r.T, err)
	states := map[string]string{}
	for rows.Next() {
		var id, state string
		require.NoError(r.T, rows.Scan(&id, &state))
		states[id] = state
	}
	require.NoError(r.T, rows.Err())
	return states
}

// replicate copies the running Postgres.
func (r *installation) replicate(to string) {
	r.T.Helper()
	copied := exec.CommandContext(r.Ctx, filepath.Join(filepath.Dir(r.postgres.Binary), "pg_basebackup"),
		"--dbname="+r.URL, "--pgdata="+to, "--checkpoint=fast", "--wal-method=stream", "--no-sync")
	out, err := copied.CombinedOutput()
	require.NoError(r.T, err, string(out))
	info, err := os.Stat(filepath.Join(r.home, "postgres"))
	require.NoError(r.T, err)
	owner, ok := info.Sys().(*syscall.Stat_t)
	require.True(r.T, ok)
	require.NoError(r.T, filepath.WalkDir(to, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(owner.Uid), int(owner.Gid))
	}))
}

// requireOnlyOrphans asserts that all violations are about backups without a record, and that each of these is a finding and
// in the output of doctor.
func (r *installation) requireOnlyOrphans() {
	r.T.Helper()
	var orphans, others []string
	for _, v := range r.violations() {
		if v.Invariant == invariants.Orphan {
			orphans = append(orphans, v.Backup)
		} else {
			others = append(others, v.String())
		}
	}
	require.Empty(r.T, others, "violated invariants")
	require.NotEmpty(r.T, orphans, "the lost commits made no orphan: nothing was tried")
	slices.Sort(orphans)
	orphans = slices.Compact(orphans)
	for _, id := range orphans {
		var found int
		require.NoError(r.T, r.DB.QueryRow(r.Ctx, `SELECT count(*) FROM findings WHERE object = $1 AND reason = 'orphan'`, id).Scan(&found))
		require.Equal(r.T, 1, found, "findings about backup %s", id)
	}
	r.waitFor(soon, "the doctor names all of them", func() bool { // doctor reports an orphan only after the next reconcile run should have found it
		output := r.doctor("invariants")
		return !slices.ContainsFunc(orphans, func(id string) bool { return !strings.Contains(output, id) })
	})
	r.T.Logf("%d orphans, each a finding; %d requests made twice; %d records lost; %d backups in Cinder",
		len(orphans), r.duplicates(), r.Count(`state = 'lost'`), len(r.Sim.Backups()))
	require.Equal(r.T, r.duplicates(), r.Count(`reason = 'twin_backup'`))
}

// doctor returns the findings of one check of doctor.
func (r *installation) doctor(check string) (output string) {
	r.T.Helper()
	out, code := rig.Output(r.T, r.Env, "doctor", "--json")
	require.Contains(r.T, []int{0, 3, 4}, code, out)
	var all struct {
		Findings []struct{ Check, Text string }
	}
	require.NoError(r.T, json.NewDecoder(strings.NewReader(out)).Decode(&all), out) // text for people follows the JSON
	for _, f := range all.Findings {
		if f.Check == check {
			output += f.Text + "\n"
		}
	}
	return output
}
