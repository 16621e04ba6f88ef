package e2e

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/evidence"
	"staffeln/internal/invariants"
	"staffeln/internal/testkit"
)

// events returns the journal entries of a kind about a volume.
func (w *environment) events(kind, volumeID string) (of []cloudsim.Event) {
	for _, e := range w.Sim.Journal() {
		if e.Kind == kind && (volumeID == "" || e.Volume == volumeID) {
			of = append(of, e)
		}
	}
	return of
}

// requireInvariants checks at the end of every scenario that all invariants held, during it and at its end, and some
// conditions that the invariants do not cover.
func (w *environment) requireInvariants() {
	w.T.Helper()
	facts, now := w.Facts()
	w.requireCleanJournal(facts.Gone)
	var broken []string
	for _, v := range append(invariants.Check(facts), invariants.CheckNow(now)...) {
		broken = append(broken, v.String())
	}
	require.Empty(w.T, broken, "violated invariants")
	for _, r := range w.Records("true") {
		require.True(w.T, r.Reason == "" || r.Reason.Known(), "record %s has the unknown reason %q", r.ID, r.Reason)
		if r.State == backup.Failed || r.State == backup.Withdrawn {
			require.NotEmpty(w.T, r.Reason, "record %s is %s without a reason", r.ID, r.State)
		}
		if r.State == backup.Creating {
			require.True(w.T, w.Clock.Now().Before(r.Deadline.Add(time.Hour)), "record %s is creating an hour after its deadline", r.ID)
		}
	}
}

// requireCleanJournal checks the problems that the cloud itself has noticed.
func (w *environment) requireCleanJournal(gone map[string]time.Time) {
	w.T.Helper()
	require.Empty(w.T, w.Sim.UnknownRoutes(), "requests that cloudsim has no code for")
	require.Empty(w.T, evidence.Alarms(w.Sim.Journal(), gone))
}

// logged counts the log lines of a level that contain all the words.
func (w *environment) logged(level string, words ...string) int {
	n := 0
line:
	for _, text := range w.Logs.Lines() {
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

// waitForFaults waits until the cloud's faults have hit n requests.
func (w *environment) waitForFaults(n int) {
	w.T.Helper()
	testkit.Eventually(w.T, "a fault strikes", time.Minute, func() bool { return len(w.events(cloudsim.FaultFired, "")) >= n })
}
