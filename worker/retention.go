package worker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
)

// giveUpAfter is how long a refused removal is tried after each retention run; after
// that it is undeletable, reported, and tried only once in this time.
const giveUpAfter = 24 * time.Hour

// retention removes what may be removed of one volume now, and confirms what is
// gone. It decides on the backups that Cinder has, project by project, never on
// records alone.
func (w *Worker) retention(ctx context.Context, c *db.Lease) error {
	v, err := c.Volume(ctx)
	if err != nil {
		return err
	}
	records, err := c.Links(ctx)
	if err != nil {
		return err
	}
	if !backup.Due(c.Now, v.RemovalNextTryAt) {
		return nil // dispatch enqueues it when it is due
	}
	var failed error
	of := byProject(records)
	for _, project := range slices.Sorted(maps.Keys(of)) {
		p := pass{w: w, c: c, volume: v, project: project, records: of[project]}
		err := p.run(ctx)
		if err == nil {
			err = c.Reached(ctx, project)
			w.conditions.Over(zerolog.Ctx(ctx), reachCondition+project).EmbedObject(telemetry.IDs{ProjectID: project}).Msg("backups of a project reachable again")
		}
		failed = errors.Join(failed, p.putOff(ctx, err))
	}
	if failed != nil {
		return w.removalLater(ctx, c, v, failed)
	}
	return c.RemovalDone(ctx)
}

func byProject(records []backup.Record) map[string][]backup.Record {
	of := map[string][]backup.Record{}
	for _, r := range records {
		of[r.ProjectID] = append(of[r.ProjectID], r)
	}
	return of
}

// pass is the retention of one volume in one owning project.
type pass struct {
	w        *Worker
	c        *db.Lease
	volume   db.Volume
	project  string
	records  []backup.Record
	inCinder map[string]backup.Backup // by ID: Cinder's backups of the volume in the project
	before   map[string]backup.Record // by ID: the records when the pass began
	purge    purging
}

func (p *pass) run(ctx context.Context) error {
	backups, err := p.w.Cloud.VolumeBackups(ctx, p.project, p.volume.ID)
	if err != nil {
		return err
	}
	p.inCinder = make(map[string]backup.Backup, len(backups))
	for _, b := range backups {
		p.inCinder[b.ID] = b
	}
	p.before = make(map[string]backup.Record, len(p.records))
	for _, r := range p.records {
		p.before[r.ID] = r
	}
	for i, r := range p.records {
		if r.State.Removing() {
			if p.records[i], err = p.follow(ctx, r); err != nil {
				return err
			}
		}
		if r.Leftover() {
			// a pause must not stop the next records from being followed
			if p.records[i], err = p.confirmLeftover(ctx, r); err != nil && !errors.Is(err, db.ErrPaused) {
				return err
			}
		}
	}
	return p.remove(ctx, backups)
}

// follow checks the state of a requested removal. A backup that Cinder's list lacks
// is confirmed by ID.
func (p *pass) follow(ctx context.Context, r backup.Record) (backup.Record, error) {
	b, listed := p.inCinder[r.BackupID]
	if !listed {
		return p.confirm(ctx, r)
	}
	if !p.stuck(r, b) || r.State == backup.Undeletable && !p.due(r) {
		return r, nil
	}
	return p.unstick(ctx, r, b)
}

// confirm records the end of a removal. Only a 404 by ID, in the scope of the
// owning project, proves it.
func (p *pass) confirm(ctx context.Context, r backup.Record) (backup.Record, error) {
	_, err := p.w.Cloud.Backup(ctx, p.project, r.BackupID)
	if backup.Means(err, backup.MeansNotFound) {
		return p.c.Removed(ctx, r)
	}
	return r, err
}

// confirmLeftover ends a leftover that somebody else removed.
func (p *pass) confirmLeftover(ctx context.Context, r backup.Record) (backup.Record, error) {
	if b, listed := p.inCinder[r.BackupID]; listed {
		return p.stuckLeftover(ctx, r, b)
	}
	_, err := p.w.Cloud.Backup(ctx, p.project, r.BackupID)
	if !backup.Means(err, backup.MeansNotFound) {
		return r, err
	}
	if r, err = p.c.StartRemoval(ctx, r, backup.RemovedByOthers); err != nil {
		return r, err
	}
	return p.c.Removed(ctx, r)
}

// stuckLeftover begins the removal of a leftover that hangs. Cinder accepts no
// deletion of it, and without this step it would not be reported.
func (p *pass) stuckLeftover(ctx context.Context, r backup.Record, b backup.Backup) (backup.Record, error) {
	if b.Status == backup.StatusDeleting || !p.stuck(r, b) || !p.due(r) {
		return r, nil
	}
	r, err := p.c.StartRemoval(ctx, r, backup.FailedLeftover)
	if err != nil {
		return r, err
	}
	return p.unstick(ctx, r, b)
}
