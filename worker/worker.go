// Package worker is the process that creates and deletes backups in Cinder.
//
// Each handler leases its volume, checks the state again, sends its requests, and records
// the result. A handler may run twice, be killed at any point, or run late, and the
// outcome is the same: the record is written before each request to Cinder, and the
// lease on the volume allows one handler at a time.
//
// The package must not use HTTP, Cinder's terms, or the queue's library.
package worker

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
	"staffeln/tasks"
)

// Cloud is what a worker may do. It creates and removes backups only with a token
// of the project that owns them.
type Cloud interface {
	Volume(ctx context.Context, projectID, volumeID string) (backup.Volume, error)
	VolumeBackups(ctx context.Context, projectID, volumeID string) ([]backup.Backup, error)
	Backup(ctx context.Context, projectID, backupID string) (backup.Backup, error)
	CreateBackup(ctx context.Context, r backup.Request) (backupID string, err error)
	DeleteBackup(ctx context.Context, b backup.Backup) error
	ForceDeleteBackup(ctx context.Context, b backup.Backup) error
	// ResetBackup sets the status of b if its status in Cinder is still that of b.
	ResetBackup(ctx context.Context, b backup.Backup, to backup.Status) error
}

// Worker holds what the handlers need. All exported fields are required.
type Worker struct {
	DB       *db.DB
	Cloud    Cloud
	Settings backup.Settings
	Metrics  *telemetry.Metrics
	// Identity is our user and installation: backups that carry it are ours.
	Identity backup.Identity

	conditions telemetry.Conditions // of all tasks: logs when a condition begins and ends
}

// Handlers returns one handler per kind of task.
func (w *Worker) Handlers() tasks.Handlers {
	return tasks.Handlers{
		Backup:    w.leased(tasks.VolumeBackup, w.backup),
		Poll:      w.leased(tasks.VolumePoll, w.poll),
		Retention: w.leased(tasks.VolumeRetention, w.retention),
	}
}

// margin is the part of its lease that a handler reserves for the last write.
const margin = 15 * time.Second

// leased runs a handler while it holds the volume's lease. A volume that another
// handler has leased is skipped: the next dispatch run enqueues it again.
func (w *Worker) leased(kind tasks.Kind, handle func(context.Context, *db.Lease) error) func(context.Context, tasks.VolumeTask) error {
	return func(ctx context.Context, t tasks.VolumeTask) error {
		err := w.lease(ctx, t.VolumeID, string(kind), handle)
		if errors.Is(err, db.ErrPaused) {
			zerolog.Ctx(ctx).Debug().EmbedObject(telemetry.IDs{VolumeID: t.VolumeID}).Msg("paused, nothing started")
			return nil
		}
		if errors.Is(err, db.ErrStale) {
			w.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, leaseLost+t.VolumeID, "").Err(err).EmbedObject(telemetry.IDs{VolumeID: t.VolumeID}).Msg("lease lost, nothing written")
			return nil
		}
		if err == nil {
			w.conditions.Over(zerolog.Ctx(ctx), leaseLost+t.VolumeID).EmbedObject(telemetry.IDs{VolumeID: t.VolumeID}).Msg("handlers of the volume finish within their lease again")
		}
		return err
	}
}

const leaseLost = "lease lost "

// lease runs handle while it holds the volume's lease.
func (w *Worker) lease(ctx context.Context, volumeID, kind string, handle func(context.Context, *db.Lease) error) error {
	err := underLease(ctx, &w.conditions, func(ctx context.Context) (*db.Lease, error) { return w.DB.Lease(ctx, volumeID, kind, tasks.LeaseTime) }, handle)
	if errors.Is(err, db.ErrLeased) {
		w.Metrics.LeaseRefused()
		zerolog.Ctx(ctx).Debug().EmbedObject(telemetry.IDs{VolumeID: volumeID}).Msg("volume is leased by another handler")
		return nil
	}
	return err
}

// underLease runs handle while it holds the lease that take returns, and then releases the lease.
func underLease[L interface{ Release(context.Context) error }](
	ctx context.Context, conditions *telemetry.Conditions, take func(context.Context) (L, error), handle func(context.Context, L) error,
) error {
	asking, done := shielded(ctx) // a lease whose response is lost would last for its full time
	c, err := take(asking)
	done()
	if err != nil {
		return err
	}
	defer func() {
		last, cancel := lasting(ctx)
		defer cancel()
		if err := c.Release(last); err != nil {
			conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, "release", "").Err(err).Msg("lease not released, it will expire")
		} else {
			conditions.Over(zerolog.Ctx(ctx), "release").Msg("leases released again")
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, tasks.LeaseTime-margin)
	defer cancel()
	return handle(ctx, c)
}

// shielded returns a context for a request that changes something, in Cinder or
// a lease in the database. It outlives the signal to stop the worker by the time
// that a response needs, so that a restart loses no response.
func shielded(ctx context.Context) (context.Context, context.CancelFunc) {
	request, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		grace := time.NewTimer(margin - 5*time.Second)
		defer grace.Stop()
		select {
		case <-grace.C:
			cancel()
		case <-request.Done():
		}
	})
	return request, func() { stop(); cancel() }
}

// lasting returns a context for the write that must follow a call to Cinder,
// also when the handler is stopped in the meantime.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), margin-5*time.Second)
}
