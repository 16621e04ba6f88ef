package scheduler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/tasks"
)

// leastReading is the minimum time for all cloud reads of one dispatch run. The time is the poll period if that is longer.
// Dispatch continues without what it cannot read in that time.
const leastReading = 10 * time.Second

// errNotEnqueued means that the queue did not take all tasks of a run. No task is lost: the next run enqueues them again.
var errNotEnqueued = errors.New("enqueue tasks")

// Dispatch admits planned records under the caps and enqueues, from the table
// alone, the task that each volume needs next. It enqueues again every task that
// the queue lost.
func (s *Scheduler) Dispatch(ctx context.Context, b *db.Run) error {
	set := s.Settings
	if err := b.KeepDryRun(ctx, set.DryRun); err != nil {
		return err
	}
	reading, read := context.WithTimeout(ctx, max(set.PollPeriod.Std(), leastReading))
	defer read()
	outage, err := s.outage(reading, b)
	if err != nil {
		return err
	}
	admission, err := b.Admit(ctx, backup.Caps{
		Total: outage.Cap(set.MaxBackupsInProgress, set.BackupMaxOperations), PerProject: set.MaxBackupsInProgressPerProject,
		PerZone: set.MaxBackupsInProgressPerZone, ForcedFull: set.MaxForcedFulls, Slow: set.MaxBackupsSlow,
	}, outage)
	if err != nil {
		return err
	}
	s.logAdmission(ctx, outage, admission)
	work, err := b.AtWork(ctx)
	if err != nil {
		return err
	}
	items := choose(b.Now, work, s.listing(reading, b.Now, work), set.MaxRemovalsInProgress)
	counts, err := s.Queue.Dispatch(ctx, items)
	if len(admission.Admitted) > 0 || len(items) > 0 {
		s.routine.line(ctx, "dispatch", b.Now, len(admission.Admitted) > 0, outcomes(counts)).Int("admitted", len(admission.Admitted)).Int("at_work", len(work)).Int("tasks", len(items)).
			Any("outcome", counts).Msg("dispatch run finished")
	}
	if err := errors.Join(s.recordQueue(ctx, b, err), s.countRecords(ctx, b)); err != nil {
		return err
	}
	if err != nil { // the next run enqueues them again
		return fmt.Errorf("%w: %w", errNotEnqueued, err)
	}
	return b.Done(ctx, db.DispatchRun, b.Now)
}

// countRecords sets the metrics of unfinished records by state, and of planned ones by what they wait for.
func (s *Scheduler) countRecords(ctx context.Context, b *db.Run) error {
	states, waits, err := b.Unfinished(ctx)
	if err != nil {
		return err
	}
	s.Metrics.SetRecords(byCode(states), byCode(waits))
	return nil
}

func byCode[C ~string](counts map[C]int) map[string]int {
	all := make(map[string]int, len(counts))
	for code, n := range counts {
		all[string(code)] = n
	}
	return all
}

// transitional holds the backups that Cinder still lists as creating or deleting.
// A nil map is a listing that could not be read: then all are taken as still in progress.
type transitional struct {
	creating, deleting map[string]bool
	// A deletion that was requested longer ago than removalTime is checked even
	// though Cinder still lists it as deleting; 0 = never.
	removalTime time.Duration
}

// listing lists the backups in progress with one request per status, and with none
// if no record needs it. Only backups that left the listing cost a request of their own.
func (s *Scheduler) listing(ctx context.Context, now time.Time, work []db.Work) transitional {
	read := func(state backup.State, status backup.Status) map[string]bool {
		wanted := slices.ContainsFunc(work, func(w db.Work) bool {
			return w.BackupID != "" && (w.State == state || state == backup.Creating && leftoverDue(now, w))
		})
		if !wanted {
			return nil
		}
		listed, err := s.Cloud.BackupsIn(ctx, status)
		if s.notAdmin(ctx, err) {
			return nil
		}
		if err != nil {
			s.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, "list "+string(status), "").Err(err).Str("status", string(status)).
				Msg("backups in progress not listed, will be tried again")
			return nil
		}
		s.conditions.Over(zerolog.Ctx(ctx), "list "+string(status)).Str("status", string(status)).Msg("backups in progress listed again")
		ids := make(map[string]bool, len(listed))
		for _, b := range listed {
			ids[b.ID] = true
		}
		return ids
	}
	return transitional{
		creating: read(backup.Creating, backup.StatusCreating), deleting: read(backup.Deleting, backup.StatusDeleting),
		removalTime: s.Settings.BackupCycleTimeout.Std(),
	}
}

// leftoverDue reports whether w is a leftover that is due for removal now. A
// cancelled one may still be in creation.
func leftoverDue(now time.Time, w db.Work) bool {
	return w.State == backup.Failed && !w.Paused && backup.Due(now, w.NextTryAt)
}

// priority orders the tasks of one volume: the task with the highest priority is chosen.
var priority = map[tasks.Kind]int{tasks.VolumePoll: 3, tasks.VolumeBackup: 2, tasks.VolumeRetention: 1}

// choose picks, for each volume, the one task that it needs first. Paused volumes start nothing. New removals wait while
// maxRemovals (0 = no limit) are in progress; the confirmation of a removal never waits. Pure.
func choose(now time.Time, work []db.Work, b transitional, maxRemovals int) []tasks.Item {
	removing := 0
	for _, w := range work {
		if w.State == backup.Deleting {
			removing++
		}
	}
	chosen := map[string]tasks.Item{}
	for _, w := range work {
		kind, begins := nextTask(now, w, b)
		if kind == "" || w.Leased || w.Paused && (begins || w.State == backup.Planned) || priority[kind] <= priority[chosen[w.VolumeID].Kind] {
			continue
		}
		if begins && maxRemovals > 0 {
			if removing >= maxRemovals {
				continue
			}
			removing++
		}
		chosen[w.VolumeID] = tasks.Item{Kind: kind, VolumeID: w.VolumeID, RecordID: w.RecordID, Abandoned: w.Abandoned, Idle: idle(now, w)}
	}
	items := make([]tasks.Item, 0, len(chosen))
	for _, item := range chosen {
		items = append(items, item)
	}
	slices.SortFunc(items, func(x, y tasks.Item) int { return cmp.Compare(x.VolumeID, y.VolumeID) })
	return items
}

// idle reports whether no handler has the volume leased and nothing happened to it
// for longer than a handler may work.
func idle(now time.Time, w db.Work) bool {
	return !w.Leased && !w.Abandoned && now.Sub(w.StillSince) > 2*tasks.LeaseTime
}

// nextTask returns the task that one record needs now, if any, and whether that
// task begins a removal.
func nextTask(now time.Time, w db.Work, b transitional) (kind tasks.Kind, begins bool) {
	pastDeadline := w.Deadline != nil && backup.Due(now, w.Deadline)
	if !(backup.Record{State: w.State, Deadline: w.Deadline, NextTryAt: w.NextTryAt}).Due(now) {
		return "", false
	}
	switch w.State {
	case backup.Planned:
		return tasks.VolumeBackup, false
	case backup.Creating:
		switch {
		case w.BackupID == "":
			return tasks.VolumeBackup, false
		case pastDeadline || b.creating != nil && !b.creating[w.BackupID]:
			return tasks.VolumePoll, false
		}
		return "", false
	case backup.Overdue:
		return tasks.VolumePoll, false
	case backup.Deleting:
		hangs := b.removalTime > 0 && w.DeletionRequestedAt != nil && now.Sub(*w.DeletionRequestedAt) > b.removalTime
		if hangs || b.deleting != nil && !b.deleting[w.BackupID] {
			return tasks.VolumeRetention, false
		}
		return "", false
	case backup.Failed:
		if !pastDeadline && b.creating[w.BackupID] { // cancelled: it can't be removed yet, and must not take a removal slot
			return "", false
		}
		return tasks.VolumeRetention, true
	case backup.Undeletable, "":
		return tasks.VolumeRetention, true
	case backup.Available, backup.Deleted, backup.Withdrawn, backup.Lost: // final, or nothing to do
	}
	return "", false
}
