package worker

import (
	"context"

	"staffeln/backup"
	"staffeln/db"
)

// settling says how far an operator settles what a project that is gone left.
type settling int

const (
	retained   settling = iota // not at all: the retention's own pass
	settleAged                 // what its retention is over for, and leftovers
	settleAll                  // all of ours
)

// Settle goes one step on with what a project that is gone left of one volume,
// by the operator's word: removes what may be removed now (with all: whatever
// its retention), and confirms what is gone. A volume that a handler is at work
// on is left to it.
//
// w.Cloud must reach the project's backups, which no token of the project can
// do any more. What is refused is returned as the error, and tried again at the
// next call, without the delay that a handler would keep.
func (w *Worker) Settle(ctx context.Context, volumeID, projectID string, all bool) error {
	return w.lease(ctx, volumeID, db.ActSettle, func(ctx context.Context, c *db.Lease) error {
		v, err := c.Volume(ctx)
		if err != nil {
			return err
		}
		records, err := c.Links(ctx)
		if err != nil {
			return err
		}
		p := pass{w: w, c: c, volume: v, project: projectID, records: byProject(records)[projectID], settle: settleAged}
		if all {
			p.settle = settleAll
		}
		if len(p.records) == 0 {
			return nil
		}
		return p.run(ctx)
	})
}

// due tells whether r may be tried now: an operator does not wait.
func (p *pass) due(r backup.Record) bool { return p.settle != retained || r.Due(p.c.Now) }
