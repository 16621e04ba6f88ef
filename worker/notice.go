package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
	"staffeln/view"
	"staffeln/view/report"
)

// notify stores the mails for the group's notices that are not sent yet: one mail per kind. The operator's mails need no
// cloud and have no delay.
func (r *Reporter) notify(ctx context.Context, c *db.ReportLease, state db.ReportGroup) error {
	operator := c.Group == report.All
	if !operator && (r.Reporting.ToLog() || report.NoticesWait(c.Now, state.NextTryAt, state.Failures)) {
		return nil
	}
	all, err := c.Notices(ctx, r.Settings.RetentionShortenDelay.Std())
	if err != nil || len(all) == 0 {
		return err
	}
	to := r.operators()
	if !operator {
		var found bool
		if to, found, err = r.receivers(ctx, c, state); err != nil || !found {
			return err
		}
	}
	for _, kind := range []backup.Reason{backup.ProtectionEnded, backup.RetentionShortened} {
		of := slices.DeleteFunc(slices.Clone(all), func(n db.Notice) bool { return n.Kind != kind })
		if len(of) == 0 {
			continue
		}
		if err := r.notice(ctx, c, kind, of, to); err != nil {
			return err
		}
	}
	return nil
}

// operators returns the receivers of the operator's mails.
func (r *Reporter) operators() []string {
	if to := r.Reporting.Operator(); len(to) > 0 {
		return unique(to)
	}
	return []string{toLog}
}

// notice stores one mail about notices of one kind.
func (r *Reporter) notice(ctx context.Context, c *db.ReportLease, kind backup.Reason, of []db.Notice, to []string) error {
	n := view.NewNotice(kind, c.Group, c.Now, r.Settings.Keys(), view.NoticeProjects(r.Settings, of))
	n.ID = strings.ToLower(rand.Text())
	content, err := n.JSON()
	if err != nil {
		return err
	}
	made := r.mails(db.NewReport{ID: n.ID, CreatedAt: n.At, Content: content}, to)
	ids := make([]int64, len(of))
	for i, one := range of {
		ids[i] = one.ID
	}
	if err := c.MakeNotice(ctx, made, ids, r.Reporting.ToLog()); err != nil {
		return err
	}
	zerolog.Ctx(ctx).Info().Str("notice_id", n.ID).Str("reason", string(kind)).Str("group", c.Group).Int("volumes", len(of)).Int("receivers", len(to)).Msg("notice built")
	return nil
}

// recordNoReceiver records that the project has no receiver, and when that is checked again. It logs a warning when that begins.
func (r *Reporter) recordNoReceiver(ctx context.Context, c *db.ReportLease, name string, why error) error {
	again := c.Now.Add(r.Settings.ReportPeriod.Std())
	detail := "project " + strings.TrimSpace(name+" ("+c.Group+")") + ": " + why.Error()
	fresh, err := c.NoReceiver(ctx, detail, again)
	if err != nil {
		return err
	}
	level := zerolog.DebugLevel
	if fresh {
		level = zerolog.WarnLevel
	}
	zerolog.Ctx(ctx).WithLevel(level).Str("reason", string(backup.NoReceiver)).EmbedObject(telemetry.IDs{ProjectID: c.Group}).Str("detail", why.Error()).Time("next_attempt", again).Msg("project has no receiver, nothing sent to it")
	return nil
}

// receivers returns who gets the group's mails, before anything else is read for it. found is false if there is nobody, or
// if the cloud could not be asked. Both are recorded with the time of the next try.
func (r *Reporter) receivers(ctx context.Context, c *db.ReportLease, state db.ReportGroup) (to []string, found bool, err error) {
	to, name, err := r.projectReceivers(ctx, c)
	if err == nil {
		return to, true, nil
	}
	last, cancel := lasting(ctx)
	defer cancel()
	if errors.Is(err, errNoReceiver) {
		return nil, false, r.recordNoReceiver(last, c, name, err)
	}
	return nil, false, r.recordNotMade(last, c, err, state.Failures, report.Again(c.Now, state.Failures+1))
}

// projectReceivers returns the receivers of the leased project, and its name if the name was read.
func (r *Reporter) projectReceivers(ctx context.Context, c *db.ReportLease) (to []string, name string, err error) {
	if domain := r.Reporting.ProjectReceiverDomain; domain != "" {
		if name, err = c.ProjectName(ctx); err != nil {
			return nil, "", err
		}
		to, err = ofName(name, domain)
		return to, name, err
	}
	members, err := r.Directory.Members(ctx, c.Group)
	if err != nil {
		return nil, "", err
	}
	to, err = ofMembers(members)
	if errors.Is(err, errNoReceiver) {
		name, _ = c.ProjectName(ctx) // only for the finding
	}
	return to, name, err
}
