package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
	"staffeln/tasks"
	"staffeln/view"
	"staffeln/view/report"
)

// A Directory is the read-only cloud access of reports: the receivers, and the usage of quotas.
type Directory interface {
	// Members lists the users with a role in the project and an e-mail address.
	Members(ctx context.Context, projectID string) ([]backup.Member, error)
	// BackupQuota reads a project's quotas of backups and of their gigabytes.
	BackupQuota(ctx context.Context, projectID string) (backups, gigabytes backup.Quota, err error)
}

// A Reporter builds the reports that are due, and sends what is not sent yet. All exported fields but Mailer are required.
type Reporter struct {
	DB        *db.DB
	Directory Directory
	Settings  backup.Settings
	Reporting report.Reporting
	Mailer    *Mailer // nil: reports go to the log

	conditions telemetry.Conditions // of all groups: logs when a condition begins and ends
}

// Handlers returns the handler of reports.
func (r *Reporter) Handlers() tasks.Handlers { return tasks.Handlers{Report: r.handle} }

// handle builds the group's report if it is due, and sends what waits to be sent, under the group's lease. What it could
// not do is recorded in the tables, and the scheduler dispatches it again.
func (r *Reporter) handle(ctx context.Context, t tasks.Report) error {
	take := func(ctx context.Context) (*db.ReportLease, error) {
		return r.DB.LeaseReports(ctx, t.Group, tasks.LeaseTime)
	}
	err := underLease(ctx, &r.conditions, take, r.serve)
	if errors.Is(err, db.ErrLeased) {
		zerolog.Ctx(ctx).Debug().Str("group", t.Group).Msg("report group leased by another worker")
		return nil
	}
	if errors.Is(err, db.ErrStale) {
		zerolog.Ctx(ctx).Warn().Err(err).Str("group", t.Group).Msg("lease lost, nothing written")
		return nil
	}
	return err
}

// serve sends notices before it builds the report, so that the report can't delay them. An error in building delays no mail
// that was stored already.
func (r *Reporter) serve(ctx context.Context, c *db.ReportLease) error {
	state, err := c.State(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, step := range []func() error{
		func() error { return r.notify(ctx, c, state) },
		func() error { return r.send(ctx, c, true) },
		func() error { return r.make(ctx, c) },
		func() error { return r.send(ctx, c, false) },
	} {
		if err := step(); err != nil {
			failed = errors.Join(failed, err)
		}
		if errors.Is(failed, db.ErrStale) {
			break
		}
	}
	return failed
}

// make stores the group's report with its receivers, if it is due.
func (r *Reporter) make(ctx context.Context, c *db.ReportLease) error {
	state, err := c.State(ctx)
	if err != nil || !r.mayMake(c, state) {
		return err
	}
	unreported, err := c.Unreported(ctx, r.Settings.RPO())
	if err != nil {
		return err
	}
	waiting := report.Waiting{Last: state.DeliveredAt}
	for _, u := range unreported {
		if r.Reporting.Together() || c.Group != report.All || u.ProjectID == "" {
			waiting = waiting.Merge(report.Waiting{Result: u.Result, Matter: u.Matter})
		}
	}
	if !report.Due(c.Now, r.Settings.ReportPeriod.Std(), waiting) {
		return nil
	}
	to := r.operators()
	if c.Group != report.All {
		var found bool
		if to, found, err = r.receivers(ctx, c, state); err != nil || !found {
			return err
		}
	}
	made, err := r.compose(ctx, c, to)
	if err == nil && made != nil {
		err = c.Make(ctx, *made)
		if err == nil {
			zerolog.Ctx(ctx).Info().Str("report_id", made.ID).Str("group", c.Group).Int("records", len(made.Records)).Int("receivers", len(made.Mails)).Msg("report built")
		}
	}
	return err
}

// recordNotMade records that the receivers could not be read, and when that is tried again: everything remains unreported.
func (r *Reporter) recordNotMade(ctx context.Context, c *db.ReportLease, why error, failures int, again time.Time) error {
	why = fmt.Errorf("find receivers: %w", why)
	level := zerolog.WarnLevel
	switch {
	case failures > 0: // it was logged before
		level = zerolog.DebugLevel
	case backup.Means(why, backup.MeansRefused): // waiting does not fix it
		level = zerolog.ErrorLevel
	}
	zerolog.Ctx(ctx).WithLevel(level).Err(why).EmbedObject(telemetry.IDs{ProjectID: c.Group}).Time("next_attempt", again).Msg("report not built, will be tried again")
	return c.NotMade(ctx, why.Error(), again)
}

// mayMake reports whether reports are made for the group and none is open or delayed.
func (r *Reporter) mayMake(c *db.ReportLease, state db.ReportGroup) bool {
	return r.Reporting.Has(c.Group) && !state.Open && backup.Due(c.Now, state.NextTryAt)
}

// compose builds the report; nil if there is nothing to report.
func (r *Reporter) compose(ctx context.Context, c *db.ReportLease, to []string) (*db.NewReport, error) {
	before, err := c.ReportedBefore(ctx)
	if err != nil {
		return nil, err
	}
	var gathered view.GatheredReport
	err = r.DB.Snapshot(ctx, func(l *db.Snapshot) error {
		if c.Group == report.All && !r.Reporting.Together() {
			gathered, err = view.GatherOperatorReport(ctx, l, r.Settings, before)
			return err
		}
		gathered, err = view.GatherReport(ctx, l, r.Settings, c.Group, before)
		return err
	})
	if err != nil || gathered.Empty() {
		return nil, err
	}
	AddQuotas(ctx, r.Directory, &gathered.Report)
	for _, p := range gathered.Report.Projects {
		if p.Backups == nil || p.Gigabytes == nil {
			continue
		}
		if err := r.DB.RecordQuota(ctx, p.ID, p.Backups.Quota, p.Gigabytes.Quota); err != nil {
			return nil, err
		}
	}
	gathered.Report.ID = strings.ToLower(rand.Text())
	content, err := gathered.Report.JSON()
	if err != nil {
		return nil, err
	}
	made := r.mails(db.NewReport{ID: gathered.Report.ID, CreatedAt: gathered.Report.At, Content: content, Records: gathered.Records, Removals: gathered.Removals}, to)
	return &made, nil
}
