package rig

import (
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/evidence"
	"staffeln/internal/invariants"
)

// Facts returns the evidence for the invariants: the cloud's journal, the tables, and the promises that the test itself
// recorded.
func (w *Environment) Facts() (invariants.Facts, invariants.Snapshot) {
	w.T.Helper()
	us := evidence.Us{User: w.Sim.Cast().Service, Installation: w.Scheduler.Identity.Installation}
	journal, gone := evidence.Journal(w.Sim.Journal(), w.Sim, us)
	listed := evidence.Listed(w.Sim, us)
	now, records, err := evidence.Records(w.Ctx, w.Pool)
	require.NoError(w.T, err)
	set := w.Settings
	step := 2*w.LongestStep + 20*time.Minute // a run of the test can be one step late
	limits := invariants.Limits{Step: step, Removal: set.BackupCycleTimeout.Std() + step, Late: set.RPO().Of(0)}
	reports, err := evidence.Reports(w.Ctx, w.Pool)
	require.NoError(w.T, err)
	return invariants.Facts{
		Now: now, Journal: journal, Records: records, Limits: limits, Promises: w.promises, ShortenDelay: set.RetentionShortenDelay.Std(), Grace: set.ProtectionGrace.Std(), Gone: gone, Reports: reports,
		Caps: evidence.Caps(set),
	}, invariants.Snapshot{Now: now, Backups: listed, Records: records, Limits: limits}
}

// promise records what the newest plan promises. It reads the servers' metadata without the product's code.
func (w *Environment) promise() {
	now := w.Clock.Now()
	asked := map[string][]string{} // by volume: the retentions that the servers of a protected volume ask for; "": none
	for _, s := range w.Sim.Servers() {
		wish, isSet := s.Metadata[w.Settings.BackupMetadataKey]
		if w.Settings.BackupMetadataKey != "" && (!isSet || strings.ToLower(strings.TrimSpace(wish)) != "true") {
			continue
		}
		for _, id := range s.Volumes {
			asked[id] = append(asked[id], s.Metadata[w.Settings.RetentionMetadataKey])
		}
	}
	homes := map[string]string{}
	for _, v := range w.Sim.Volumes() {
		homes[v.ID] = v.Project
		if _, protected := asked[v.ID]; protected && w.promised(v.ID) == nil {
			w.addPromise(invariants.Promise{Volume: v.ID, Project: v.Project, From: now})
		}
	}
	for _, before := range slices.Clone(w.promises) {
		if before.To.IsZero() {
			w.renew(before.Volume, homes[before.Volume], asked[before.Volume])
		}
	}
}

// renew replaces the promise for a volume if it has changed. The earlier retention remains if no server asks for one any more,
// or if the value is not readable.
func (w *Environment) renew(volume, project string, asked []string) {
	now := w.Clock.Now()
	before := w.promised(volume)
	next := invariants.Promise{Volume: volume, Project: project, From: now, Retention: before.Retention}
	if project == "" {
		next.Project = before.Project // the volume is gone
	} else if project != before.Project { // for the former owner the promise remains in force
		w.promises = append(w.promises, invariants.Promise{Volume: volume, Project: before.Project, From: now, Retention: before.Retention, Before: now})
		before = w.promised(volume)
		next.Retention = backup.Period{}
	}
	if len(asked) > 0 {
		next.Floor = w.Settings.MinRestorePoints
		if period, readable := w.longest(asked); readable || before.Retention.IsZero() {
			next.Retention = period
		}
	}
	if next.Project == before.Project && next.Floor == before.Floor && next.Retention == before.Retention {
		return
	}
	before.To = now
	w.addPromise(next)
}

// promised returns the current promise for a volume; nil: there never was one.
func (w *Environment) promised(volume string) *invariants.Promise {
	i, ever := w.inForce[volume]
	if !ever {
		return nil
	}
	return &w.promises[i]
}

// addPromise adds a promise, which replaces the volume's promise before it.
func (w *Environment) addPromise(p invariants.Promise) {
	if w.inForce == nil {
		w.inForce = map[string]int{}
	}
	w.inForce[p.Volume] = len(w.promises)
	w.promises = append(w.promises, p)
}

// longest returns the longest of the retentions that servers ask for, or the default.
func (w *Environment) longest(asked []string) (longest backup.Period, readable bool) {
	now := w.Clock.Now()
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
		longest = w.Settings.RetentionTime
	}
	return longest, readable
}
