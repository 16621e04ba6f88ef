package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/report"
	"staffeln/tasks"
)

// A Directory is what a report asks of the cloud: whom to tell, and how far quotas are used. It can only read.
type Directory interface {
	// Members lists, by project, the users with a role there and an e-mail address.
	Members(ctx context.Context) (map[string][]backup.Member, error)
	// BackupQuota reads a project's quotas of backups and of their gigabytes.
	BackupQuota(ctx context.Context, projectID string) (backups, gigabytes backup.Quota, err error)
}

// A Reporter makes the reports that are due, and sends what was made and not sent. All fields but Mailer are required.
type Reporter struct {
	DB        *db.DB
	Directory Directory
	Settings  backup.Settings
	Reporting report.Reporting
	Mailer    *Mailer // nil: reports go to the log

	members membersCache
}

// Handlers returns the one handler of reports.
func (r *Reporter) Handlers() tasks.Handlers { return tasks.Handlers{Report: r.handle} }

// handle makes the group's report if it is due, and sends what waits to be sent, under the group's lease. Whatever it
// could not do stands in the tables, and the scheduler hands it over again.
func (r *Reporter) handle(ctx context.Context, t tasks.Report) error {
	c, err := r.DB.ClaimReports(ctx, t.Group, tasks.Lease)
	if errors.Is(err, db.ErrClaimed) {
		zerolog.Ctx(ctx).Debug().Str("group", t.Group).Msg("reports of the group are claimed by another worker")
		return nil
	}
	if err != nil {
		return err
	}
	defer func() {
		last, cancel := lasting(ctx)
		defer cancel()
		if err := c.Release(last); err != nil {
			zerolog.Ctx(ctx).Warn().Err(err).Str("group", t.Group).Msg("lease not given back, it will run out")
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, tasks.Lease-margin)
	defer cancel()
	err = r.make(ctx, c)
	if err == nil || !errors.Is(err, db.ErrStale) {
		err = errors.Join(err, r.send(ctx, c)) // a report that can't be made delays none that was
	}
	if errors.Is(err, db.ErrStale) {
		zerolog.Ctx(ctx).Warn().Err(err).Str("group", t.Group).Msg("late: another worker went on, nothing was written")
		return nil
	}
	return err
}

// make keeps the group's report with its receivers, if it is due.
func (r *Reporter) make(ctx context.Context, c *db.ReportClaim) error {
	state, err := c.State(ctx)
	if err != nil || !r.mayMake(c, state) {
		return err
	}
	untold, err := c.Untold(ctx, r.Settings.Late())
	if err != nil {
		return err
	}
	waiting := report.Waiting{Last: state.ToldAt}
	for _, u := range untold {
		waiting = waiting.Merge(report.Waiting{Result: u.Result, Matter: u.Matter})
	}
	if !report.Due(c.Now, r.Settings.ReportPeriod.Std(), waiting) {
		return nil
	}
	made, err := r.compose(ctx, c)
	if err == nil && made != nil {
		err = c.Make(ctx, *made)
		if err == nil {
			zerolog.Ctx(ctx).Info().Str("report", made.ID).Str("group", c.Group).Int("records", len(made.Records)).Int("receivers", len(made.Mails)).Msg("report made")
		}
		return err
	}
	if err == nil {
		return nil
	}
	// What could not be found out is asked for again later, and stays untold.
	last, cancel := lasting(ctx)
	defer cancel()
	again := report.Again(c.Now, state.Failures+1)
	level := zerolog.WarnLevel
	if backup.Means(err, backup.MeansRefused) { // waiting does not mend it
		level = zerolog.ErrorLevel
	}
	zerolog.Ctx(ctx).WithLevel(level).Err(err).Str("project", c.Group).Time("again", again).Msg("report not made, will be tried again")
	return c.NotMade(last, err.Error(), again)
}

// mayMake tells whether the group is one that reports are made for, and none of its waits.
func (r *Reporter) mayMake(c *db.ReportClaim, state db.ReportGroup) bool {
	return r.Reporting.Together() == (c.Group == report.All) && !state.Open && (state.NextTryAt == nil || !c.Now.Before(*state.NextTryAt))
}

// compose finds out what is to be told and to whom; nil where there is nothing to tell.
func (r *Reporter) compose(ctx context.Context, c *db.ReportClaim) (*db.NewReport, error) {
	before, err := c.ReportedBefore(ctx)
	if err != nil {
		return nil, err
	}
	var told Told
	err = r.DB.Look(ctx, func(l *db.Look) error {
		told, err = Tell(ctx, l, r.Settings, c.Group, before)
		return err
	})
	if err != nil || told.Nothing() {
		return nil, err
	}
	to, err := r.receivers(ctx, c, told.Report)
	if err != nil {
		return nil, err
	}
	AddQuotas(ctx, r.Directory, &told.Report)
	told.Report.ID = strings.ToLower(rand.Text())
	content, err := told.Report.JSON()
	if err != nil {
		return nil, err
	}
	made := &db.NewReport{ID: told.Report.ID, MadeAt: told.Report.At, Content: content, Records: told.Records}
	for i, receiver := range to {
		made.Mails = append(made.Mails, db.NewMail{Receiver: receiver, MessageID: r.messageID(told.Report.ID, i)})
	}
	return made, nil
}

// toLog stands in the outbox where the log is the receiver. No address is like it.
const toLog = "log"

// receivers says who gets the report.
func (r *Reporter) receivers(ctx context.Context, c *db.ReportClaim, told report.Report) ([]string, error) {
	switch {
	case r.Reporting.ToLog():
		return []string{toLog}, nil
	case len(r.Reporting.Receiver) > 0:
		return unique(r.Reporting.Receiver), nil
	case r.Reporting.ProjectReceiverDomain != "":
		return ofName(told.Projects[0].Name, r.Reporting.ProjectReceiverDomain)
	}
	members, err := r.members.get(ctx, c.Now, r.Directory.Members)
	if err != nil {
		return nil, fmt.Errorf("find receivers: %w", err)
	}
	return ofMembers(members[c.Group])
}

func unique(all []string) []string {
	var once []string
	seen := map[string]bool{}
	for _, one := range all {
		if !seen[one] {
			seen[one] = true
			once = append(once, one)
		}
	}
	return once
}

// messageID is the same for each try of one receiver's mail, so that who gets it twice can tell.
func (r *Reporter) messageID(reportID string, receiver int) string {
	_, domain, found := strings.Cut(r.Reporting.SenderEmail, "@")
	if !found {
		domain = "localhost"
	}
	return fmt.Sprintf("staffeln.%s.%d@%s", reportID, receiver, domain)
}
