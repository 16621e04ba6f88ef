package cli

import (
	"context"
	"fmt"
	"time"

	"staffeln/backup"
	"staffeln/worker"
)

// How many seconds purge-project waits without progress. A removal in Cinder takes seconds to minutes; while none is in
// progress, a handler may have the volume's lease for a moment.
const (
	maxWaitDeleting = 120
	maxWaitIdle     = 10
)

// purgeRun removes the backups of an orphaned project after the person agreed.
type purgeRun struct {
	*operator

	worker  *worker.Worker
	all     bool
	left    orphanedProject
	refused map[string]bool // volumes that this run does not try again
}

// run removes link after link until nothing is left, or nothing makes progress.
func (r *purgeRun) run(ctx context.Context) (outcome string, err error) {
	again := time.NewTicker(time.Second)
	defer again.Stop()
	p, total, removed := r.left.project, len(r.left.removed), 0
	for idle := 0; ; idle++ {
		r.step(ctx)
		if ctx.Err() != nil {
			return "", fmt.Errorf("purge %s: interrupted with %d of %d removed, start it again to continue: %w", p, removed, total, ctx.Err())
		}
		left, deleting, err := r.remaining(ctx)
		if err != nil {
			return "", err
		}
		if total-left > removed {
			removed, idle = total-left, 0
			r.printf("%d of %d removed.", removed, total)
		}
		outcome = fmt.Sprintf("%d of %d removed", removed, total)
		switch {
		case left == 0:
			r.printf("Done. %s.", r.left.summary())
			return outcome, nil
		case r.allRefused() || idle >= maxWaitDeleting || deleting == 0 && idle >= maxWaitIdle:
			return "", fmt.Errorf("purge %s: %s: `staffeln backups --project %s` shows the rest and its reasons; fix them and start it again", p, outcome, p.ID)
		}
		select {
		case <-again.C:
		case <-ctx.Done(): // the next step returns it
		}
	}
}

// step removes the next link of each volume. A refusal is printed, and that volume is left to the next run.
func (r *purgeRun) step(ctx context.Context) {
	for _, v := range r.left.volumes {
		if r.refused[v.ID] || ctx.Err() != nil {
			continue
		}
		if err := r.worker.PurgeProject(ctx, v.ID, r.left.project.ID, r.all); err != nil && ctx.Err() == nil {
			r.refused[v.ID] = true
			r.printf("Refused for %s: %v.", nameOf(v), err)
		}
	}
}

// remaining returns how many backups are still to be removed, and how many of them Cinder is deleting.
func (r *purgeRun) remaining(ctx context.Context) (left, deleting int, err error) {
	_, held, err := r.readProject(ctx, &r.left)
	for _, row := range r.left.removed {
		for _, one := range held[row.VolumeID] {
			if one.BackupID != row.BackupID {
				continue
			}
			left++
			if one.State == backup.Deleting {
				deleting++
			}
		}
	}
	return left, deleting, err
}

// allRefused reports whether every volume with backups to remove was refused.
func (r *purgeRun) allRefused() bool {
	for _, v := range r.left.volumes {
		if !r.refused[v.ID] {
			return false
		}
	}
	return true
}
