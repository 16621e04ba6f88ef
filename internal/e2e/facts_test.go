package e2e

import (
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/evidence"
	"staffeln/internal/invariants"
)

// facts are what the laws judge: the cloud's journal, the tables, and what this
// test itself knows to have been promised.
func (w *world) facts() (invariants.Facts, invariants.Snapshot) {
	w.t.Helper()
	us := evidence.Us{User: w.sim.Cast().Service, Installation: w.sched.Identity.Installation}
	journal, gone := evidence.Journal(w.sim.Journal(), w.sim, us)
	listed := evidence.Listed(w.sim, us)
	now, records, err := evidence.Records(w.ctx, w.pool)
	require.NoError(w.t, err)
	set := w.set
	step := 2*w.stride + 20*time.Minute // each look of ours is one of the test's steps
	limits := invariants.Limits{Step: step, Removal: set.BackupCycleTimeout.Std() + step, Late: set.Late()}
	told, err := evidence.Reports(w.ctx, w.pool)
	require.NoError(w.t, err)
	return invariants.Facts{
		Now: now, Journal: journal, Records: records, Limits: limits, Promises: w.promises, ShortenDelay: set.RetentionShortenDelay.Std(), Grace: set.ProtectionGrace.Std(), Gone: gone, Reports: told,
		Caps: evidence.Caps(set),
	}, invariants.Snapshot{Now: now, Backups: listed, Records: records, Limits: limits}
}

// promise notes what a plan that was just made promises by what the servers ask
// for now: a second reading of the metadata, past the product's own.
func (w *world) promise() {
	now := w.clock.Now()
	asked := map[string][]string{} // retentions that the servers of a protected volume ask for; empty: none
	for _, s := range w.sim.Servers() {
		wish, said := s.Metadata[w.set.BackupMetadataKey]
		if w.set.BackupMetadataKey != "" && (!said || strings.ToLower(strings.TrimSpace(wish)) != "true") {
			continue
		}
		for _, id := range s.Volumes {
			asked[id] = append(asked[id], s.Metadata[w.set.RetentionMetadataKey])
		}
	}
	homes := map[string]string{}
	for _, v := range w.sim.Volumes() {
		homes[v.ID] = v.Project
		if _, protected := asked[v.ID]; protected && w.promised(v.ID) == nil {
			w.vow(invariants.Promise{Volume: v.ID, Project: v.Project, From: now})
		}
	}
	for _, before := range slices.Clone(w.promises) {
		if before.To.IsZero() {
			w.renew(before.Volume, homes[before.Volume], asked[before.Volume])
		}
	}
}

// renew replaces the promise for a volume where it is another now. An earlier
// retention stays where nobody asks for one any more, or what is asked for can't
// be read.
func (w *world) renew(volume, project string, asked []string) {
	now := w.clock.Now()
	before := w.promised(volume)
	next := invariants.Promise{Volume: volume, Project: project, From: now, Retention: before.Retention}
	if project == "" {
		next.Project = before.Project // gone
	} else if project != before.Project { // what the owner before has keeps what was promised
		w.promises = append(w.promises, invariants.Promise{Volume: volume, Project: before.Project, From: now, Retention: before.Retention, Before: now})
		before = w.promised(volume)
		next.Retention = backup.Period{}
	}
	if len(asked) > 0 {
		next.Floor = w.set.MinRestorePoints
		if period, readable := w.longest(asked); readable || before.Retention.IsZero() {
			next.Retention = period
		}
	}
	if next.Project == before.Project && next.Floor == before.Floor && next.Retention == before.Retention {
		return
	}
	before.To = now
	w.vow(next)
}

// promised is what holds for a volume now; nil: nothing ever did.
func (w *world) promised(volume string) *invariants.Promise {
	i, ever := w.inForce[volume]
	if !ever {
		return nil
	}
	return &w.promises[i]
}

// vow adds a promise, which replaces that before.
func (w *world) vow(p invariants.Promise) {
	if w.inForce == nil {
		w.inForce = map[string]int{}
	}
	w.inForce[p.Volume] = len(w.promises)
	w.promises = append(w.promises, p)
}

// longest is the longest of retentions that servers ask for, or the default.
func (w *world) longest(asked []string) (longest backup.Period, readable bool) {
	now := w.clock.Now()
	readable = true
	for _, text := range asked {
		period, err := backup.ParsePeriod(text)
		switch {
		case text == "":
		case err != nil || period.IsZero():
			readable = false
		case longest.IsZero() || period.After(now).After(longest.After(now)):
			longest = period
		}
	}
	if longest.IsZero() {
		longest = w.set.RetentionTime
	}
	return longest, readable
}

// lawfulJournal checks the verdicts of the cloud itself.
func (w *world) lawfulJournal(gone map[string]time.Time) {
	w.t.Helper()
	require.Empty(w.t, w.sim.UnknownRoutes(), "requests that cloudsim has no code for")
	require.Empty(w.t, evidence.Alarms(w.sim.Journal(), gone))
}
