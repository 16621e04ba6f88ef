package worker

import (
	"context"

	"staffeln/backup"
	"staffeln/db"
)

// purging is how much an operator purges of a deleted project's backups.
type purging int

const (
	purgeNothing purging = iota // nothing: a retention task
	purgeExpired                // expired backups and leftovers
	purgeAll                    // all of our backups
)

// PurgeProject does the next step of purging one volume's backups in a deleted
// project: it removes what may be removed now (with all: regardless of retention),
// and confirms what is gone. It skips a volume that is leased by a handler.
//
// w.Cloud must have access to the project's backups without a token of the
// project. A refusal is returned as an error, and the next call tries again,
// without the delay of a handler.
func (w *Worker) PurgeProject(ctx context.Context, volumeID, projectID string, all bool) error {
	return w.lease(ctx, volumeID, db.ActionPurgeProject, func(ctx context.Context, c *db.Lease) error {
		v, err := c.Volume(ctx)
		if err != nil {
			return err
		}
		records, err := c.Links(ctx)
		if err != nil {
			return err
		}
		p := pass{w: w, c: c, volume: v, project: projectID, records: byProject(records)[projectID], purge: purgeExpired}
		if all {
			p.purge = purgeAll
		}
		if len(p.records) == 0 {
			return nil
		}
		return p.run(ctx)
	})
}

// due reports whether r may be tried now: a purge by an operator does not wait.
func (p *pass) due(r backup.Record) bool { return p.purge != purgeNothing || r.Due(p.c.Now) }
