package e2e

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/invariants"
	"staffeln/internal/testkit"
)

// A row is what a scenario looks at in a record.
type row struct {
	ID, VolumeID, ProjectID                               string
	State                                                 backup.State
	Kind                                                  backup.Kind
	ForcedFull                                            bool
	BackupID                                              string
	Reason                                                backup.Reason
	ReasonText, RequestID                                 string
	RemovalReason                                         backup.Reason
	RemovalText                                           string
	Attempts                                              int
	RequestedAt, Deadline, NextTryAt, DeletionRequestedAt *time.Time
}

const rowColumns = `id, volume_id, project_id, state, kind, forced_full, coalesce(backup_id, '') AS backup_id, reason, reason_text, cloud_request_id AS request_id,
	removal_reason, removal_text, attempts, requested_at, deadline, next_try_at, deletion_requested_at`

// rows are the records that a condition holds for, oldest first.
func (w *world) rows(where string, args ...any) []row {
	w.t.Helper()
	rows, err := w.pool.Query(w.ctx, `SELECT `+rowColumns+` FROM records WHERE `+where+` ORDER BY planned_at, requested_at, id`, args...)
	require.NoError(w.t, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	require.NoError(w.t, err)
	return all
}

// of are the records of a volume, oldest first; the newest one is last.
func (w *world) of(volumeID string) []row { w.t.Helper(); return w.rows("volume_id = $1", volumeID) }

func (w *world) last(volumeID string) row {
	w.t.Helper()
	all := w.of(volumeID)
	require.NotEmpty(w.t, all, "records of volume %s", volumeID)
	return all[len(all)-1]
}

// story tells a volume's records, oldest first: each one's state, and why where
// it did not become a restore point.
func (w *world) story(volumeID string) string {
	w.t.Helper()
	var words []string
	for _, r := range w.of(volumeID) {
		word := string(r.State)
		if r.State == backup.Failed || r.State == backup.Withdrawn {
			word += ":" + string(r.Reason)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// events are those of a kind about a volume in the cloud's journal.
func (w *world) events(kind, volumeID string) (of []cloudsim.Event) {
	for _, e := range w.sim.Journal() {
		if e.Kind == kind && (volumeID == "" || e.Volume == volumeID) {
			of = append(of, e)
		}
	}
	return of
}

// lawful checks what must hold at the end of every scenario, whatever went
// wrong in it: the laws, over its whole course and as it is now, and what they
// do not know.
func (w *world) lawful() {
	w.t.Helper()
	facts, now := w.facts()
	w.lawfulJournal(facts.Gone)
	var broken []string
	for _, v := range append(invariants.Check(facts), invariants.CheckNow(now)...) {
		broken = append(broken, v.String())
	}
	require.Empty(w.t, broken, "broken laws")
	for _, r := range w.rows("true") {
		require.True(w.t, r.Reason == "" || r.Reason.Known(), "record %s has the unknown reason %q", r.ID, r.Reason)
		if r.State == backup.Failed || r.State == backup.Withdrawn {
			require.NotEmpty(w.t, r.Reason, "record %s is %s without a reason", r.ID, r.State)
		}
		if r.State == backup.Creating {
			require.True(w.t, w.clock.Now().Before(r.Deadline.Add(time.Hour)), "record %s is creating an hour after its deadline", r.ID)
		}
	}
}

// logBook keeps what the program logs.
type logBook struct {
	mu    sync.Mutex
	lines []string
}

func (l *logBook) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(bytes.TrimSpace(line)))
	return len(line), nil
}

// logged counts the lines of a level that hold all the words.
func (w *world) logged(level string, words ...string) int {
	w.logs.mu.Lock()
	defer w.logs.mu.Unlock()
	n := 0
line:
	for _, text := range w.logs.lines {
		var line struct{ Level string }
		if json.Unmarshal([]byte(text), &line) != nil || line.Level != level {
			continue
		}
		for _, word := range words {
			if !strings.Contains(text, word) {
				continue line
			}
		}
		n++
	}
	return n
}

// tellLog shows the warnings and errors of a test that failed.
func (w *world) tellLog() {
	if !w.t.Failed() {
		return
	}
	w.logs.mu.Lock()
	defer w.logs.mu.Unlock()
	for _, line := range w.logs.lines[max(0, len(w.logs.lines)-80):] {
		w.t.Log(line)
	}
	for _, r := range w.sim.Backups() {
		w.t.Logf("in Cinder: %+v", r)
	}
}

// stalled waits until the cloud's faults have struck so many times.
func (w *world) stalled(n int) {
	w.t.Helper()
	testkit.Eventually(w.t, "a fault strikes", time.Minute, func() bool { return len(w.events(cloudsim.FaultFired, "")) >= n })
}
