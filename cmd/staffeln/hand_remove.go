package main

import (
	"context"
	"fmt"
	"time"

	"staffeln/backup"
	"staffeln/worker"
)

// How many looks, a second apart, may show nothing moving before settle ends: a removal in Cinder takes seconds to
// minutes; where none is in progress, a handler may hold the volume for a moment.
const (
	stillDeleting = 120
	stillIdle     = 10
)

// removing is the removal of an estate, after the person agreed to it.
type removing struct {
	*hand

	worker  *worker.Worker
	all     bool
	estate  estate
	refused map[string]bool // volumes that are not tried again by this command
}

// run goes from link to link until nothing is left to go, or nothing moves any more.
func (r *removing) run(ctx context.Context) (outcome string, err error) {
	again := time.NewTicker(time.Second)
	defer again.Stop()
	p, total, removed := r.estate.project, len(r.estate.going), 0
	for still := 0; ; still++ {
		r.step(ctx)
		if ctx.Err() != nil {
			return "", fmt.Errorf("settle %s: ended with %d of %d removed, it can be begun again: %w", p, removed, total, ctx.Err())
		}
		left, deleting, err := r.remaining(ctx)
		if err != nil {
			return "", err
		}
		if total-left > removed {
			removed, still = total-left, 0
			r.say("%d of %d removed.", removed, total)
		}
		outcome = fmt.Sprintf("%d of %d removed", removed, total)
		switch {
		case left == 0:
			r.say("Done. %s.", r.estate.rest())
			return outcome, nil
		case r.stands() || still >= stillDeleting || deleting == 0 && still >= stillIdle:
			return "", fmt.Errorf("settle %s: %s: `staffeln backups --project %s` shows the rest and its reasons; mend them, then run it again", p, outcome, p.ID)
		}
		select {
		case <-again.C:
		case <-ctx.Done(): // the next step tells
		}
	}
}

// step goes one step on with each volume. What is refused is said, and waits for the next run: somebody must act.
func (r *removing) step(ctx context.Context) {
	for _, v := range r.estate.volumes {
		if r.refused[v.ID] || ctx.Err() != nil {
			continue
		}
		if err := r.worker.Settle(ctx, v.ID, r.estate.project.ID, r.all); err != nil && ctx.Err() == nil {
			r.refused[v.ID] = true
			r.say("Refused for %s: %v.", told(v), err)
		}
	}
}

// remaining counts what is still to go, and what of it Cinder is deleting.
func (r *removing) remaining(ctx context.Context) (left, deleting int, err error) {
	_, held, err := r.left(ctx, &r.estate)
	for _, g := range r.estate.going {
		for _, one := range held[g.VolumeID] {
			if one.BackupID != g.BackupID {
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

// stands tells whether every volume that something goes of was refused.
func (r *removing) stands() bool {
	for _, v := range r.estate.volumes {
		if !r.refused[v.ID] {
			return false
		}
	}
	return true
}
