//go:build faults

package faults

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hibiken/asynq"
	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit"
)

// The limits for a complete recovery: soon is enough for periods and back-offs, afterLease also for the lease of a killed
// worker and for the queue's own lease.
const (
	soon       = 2 * time.Minute
	afterLease = lease + 3*time.Minute
)

// waitFor waits until a condition holds, for at most the given time.
func (r *installation) waitFor(limit time.Duration, what string, cond func() bool) {
	r.T.Helper()
	testkit.Eventually(r.T, what, limit, cond)
}

// wait waits for the given time.
func (r *installation) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Ctx.Done():
	}
}

// randomTime returns a random duration between two limits.
func (r *installation) randomTime(least, most time.Duration) time.Duration {
	return least + time.Duration(r.chance.Int64N(int64(most-least)))
}

// events counts the entries of a kind in the cloud's journal.
func (r *installation) events(kind string) (n int) {
	for _, e := range r.Sim.Journal() {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// waitLoaded waits until the load is there: each volume has a restore point, and the first removals have begun.
func (r *installation) waitLoaded() {
	r.T.Helper()
	r.waitFor(afterLease, "the load is there", func() bool {
		return len(r.stale(time.Time{})) == 0 && (r.policy.retention > retention || r.events(cloudsim.BackupDeletion) > 0)
	})
}

// stale returns the volumes without a recorded restore point whose data was taken after the given time of the cloud's clock.
func (r *installation) stale(after time.Time) []string {
	r.T.Helper()
	rows, err := r.DB.Query(r.Ctx, `SELECT backup_id FROM records WHERE state = 'available'`)
	require.NoError(r.T, err)
	recorded := map[string]bool{}
	for rows.Next() {
		var id string
		require.NoError(r.T, rows.Scan(&id))
		recorded[id] = true
	}
	require.NoError(r.T, rows.Err())
	fresh := map[string]bool{}
	for _, b := range r.Sim.Backups() {
		if recorded[b.ID] && b.Status == "available" && b.Restorable && b.DataTimestamp.After(after) {
			fresh[b.Volume] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(r.volumes), func(v string) bool { return fresh[v] })
}

// requireRecovery asserts what must hold after each fault: within the limit each volume gets a fresh restore point, everything
// in progress ends, and no invariant was violated at any time.
func (r *installation) requireRecovery(limit time.Duration) {
	r.T.Helper()
	r.waitFresh(limit)
	r.waitIdle()
	r.requireInvariants()
}

// waitFresh waits until each volume has a restore point of data that was taken after now.
func (r *installation) waitFresh(limit time.Duration) {
	r.T.Helper()
	cloudBegan, began := r.cloudNow(), time.Now()
	var missing []string
	defer func() {
		if r.T.Failed() {
			r.T.Logf("without a fresh restore point: %s", strings.Join(missing, ", "))
			r.logRecords()
		}
	}()
	r.waitFor(limit, "every volume has a fresh restore point", func() bool {
		missing = r.stale(cloudBegan)
		return len(missing) == 0
	})
	r.T.Logf("all volumes had fresh restore points %.0f s after the fault", time.Since(began).Seconds())
}

// waitIdle pauses all projects and waits until no record, lease or task is in progress, and until a reconcile run has finished
// after that.
func (r *installation) waitIdle() {
	r.T.Helper()
	out, code := rig.Output(r.T, r.Env, "pause", "--why", "the test ends")
	require.Zero(r.T, code, out)
	waited := ""
	defer func() {
		if r.T.Failed() {
			r.T.Logf("the last state was: %s", waited)
			r.logRecords()
		}
	}()
	r.waitFor(soon, "everything is idle", func() bool {
		leases := 0
		require.NoError(r.T, r.DB.QueryRow(r.Ctx, `SELECT count(*) FROM volumes WHERE lease_token IS NOT NULL`).Scan(&leases))
		inProgress := r.Count(`state IN ('creating', 'overdue', 'deleting')`)
		waited = fmt.Sprintf("%d records in progress, %d leases, %d tasks", inProgress, leases, r.queued())
		return waited == "0 records in progress, 0 leases, 0 tasks"
	})
	var idleSince time.Time
	require.NoError(r.T, r.DB.QueryRow(r.Ctx, `SELECT staffeln_now()`).Scan(&idleSince))
	r.waitFor(soon, "all is reconciled", func() (reconciled bool) {
		require.NoError(r.T, r.DB.QueryRow(r.Ctx, `SELECT coalesce(reconciled_at > $1, false) FROM leadership`, idleSince).Scan(&reconciled))
		return reconciled
	})
}

// queued counts the tasks in the queue, in any state.
func (r *installation) queued() int {
	r.T.Helper()
	info, err := asynq.NewInspectorFromRedisClient(r.Redis).GetQueueInfo("volumes")
	if errors.Is(err, asynq.ErrQueueNotFound) {
		return 0
	}
	require.NoError(r.T, err)
	return info.Size + info.Completed
}

// logRecords logs the records that are not in a final state.
func (r *installation) logRecords() {
	rows, err := r.DB.Query(r.Ctx, `SELECT format('%s %s: volume %s backup %s asked %s next %s: %s %s', state, kind, volume_id, backup_id, unanswered_request_at, next_try_at, reason, reason_text)
		FROM records WHERE state NOT IN ('available', 'deleted', 'withdrawn') ORDER BY changed_at DESC LIMIT 30`)
	if err != nil {
		r.T.Logf("records can't be read: %v", err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if rows.Scan(&line) == nil {
			r.T.Log(line)
		}
	}
}
