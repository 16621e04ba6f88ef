package worker

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
)

const reachCondition = "reach "

// removalLater delays a removal that failed for a temporary reason. The delay starts at
// one poll period and doubles with each failure in a row.
func (w *Worker) removalLater(ctx context.Context, c *db.Lease, v db.Volume, failed error) error {
	if errors.Is(ctx.Err(), context.Canceled) || errors.Is(failed, db.ErrStale) {
		return failed // the worker is being stopped, or another handler took over
	}
	var asked time.Duration
	if ce := new(backup.CloudError); errors.As(failed, &ce) {
		asked = ce.RetryAfter
	}
	last, cancel := lasting(ctx)
	defer cancel()
	return errors.Join(failed, c.RemovalLater(last, c.Now.Add(w.backOff(v.RemovalFailures+1, asked))))
}

// putOff ends a pass that the cloud refuses. Somebody has to fix that, so it is
// reported, and tried again after a retention period instead of at once. A pass that
// met a pause is over; a retention run after the pause starts it again.
func (p *pass) putOff(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, db.ErrPaused) {
		return nil
	}
	why, final := reasonOf(err)
	if !final {
		return err
	}
	if err := p.reportUnreachable(ctx, why); err != nil {
		return err
	}
	again := p.c.Now.Add(p.w.Settings.RetentionServicePeriod.Std())
	if why.Reason == backup.ProjectGone {
		again = p.c.Now.Add(giveUpAfter)
	}
	for _, r := range p.records {
		if r.State.Removing() || r.Leftover() {
			if _, err := p.c.Later(ctx, r, backup.Status(r.CinderStatus), again); err != nil {
				return err
			}
		}
	}
	return nil
}

// reportUnreachable reports why nothing is removed. If the reason affects the whole
// project, it is recorded as a finding and logged only once.
func (p *pass) reportUnreachable(ctx context.Context, why db.Why) error {
	todo := map[backup.Reason]string{
		backup.ProjectGone: backup.ProjectGoneCure(p.project),
		backup.NoRole:      "its backups are kept until the service user has its role again: " + why.Text,
	}[why.Reason]
	if todo != "" {
		fresh, err := p.c.RecordUnreachableProject(ctx, backup.Finding{Reason: why.Reason, ProjectID: p.project, Object: p.project, Detail: todo})
		if err != nil || !fresh {
			return err
		}
	}
	p.w.conditions.Met(zerolog.Ctx(ctx), zerolog.ErrorLevel, reachCondition+p.project, string(why.Reason)).EmbedObject(telemetry.IDs{VolumeID: p.volume.ID, Volume: p.volume.Name, ProjectID: p.project}).Str("reason", string(why.Reason)).Str("cause", why.Text).
		Str("detail", todo).Msg("backups of a project not reachable, nothing removed")
	return nil
}
