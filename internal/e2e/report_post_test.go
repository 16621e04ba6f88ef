package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
	"staffeln/internal/testkit/mailbox"
	"staffeln/tasks"
	"staffeln/view/report"
	"staffeln/worker"
)

// reportEnvironment is an environment whose reports go to a real mail server.
type reportEnvironment struct {
	*environment

	box      *mailbox.Server
	reporter *worker.Reporter
}

// hourly sets a backup every hour and a report every six hours.
func hourly(set *backup.Settings, o *cloudsim.Options) {
	set.BackupMinInterval, set.BackupServicePeriod = backup.Duration(time.Hour), backup.Duration(time.Hour)
	set.ReportPeriod, set.BackupCycleTimeout = backup.Duration(6*time.Hour), backup.Duration(time.Hour)
	o.BackupTime = cloudsim.Fixed(30 * time.Second)
	o.Backups, o.BackupGigabytes = 1000, 10000
}

func newReportEnvironment(t *testing.T, reporting report.Reporting) *reportEnvironment {
	t.Helper()
	p := &reportEnvironment{environment: newEnvironment(t, hourly), box: mailbox.Start(t, mailbox.Options{TLS: true, User: rig.Sender, Password: "secret"})}
	p.configure(reporting)
	ctx, cancel := context.WithCancel(p.Ctx)
	done := make(chan error, 1)
	go func() {
		done <- tasks.Serve(ctx, p.Redis, tasks.ServerConfig{
			Concurrency: 4, PollPeriod: 10 * time.Millisecond, CheckInterval: time.Millisecond, Log: *zerolog.Ctx(p.Ctx), Metrics: telemetry.NewMetrics(),
		}, tasks.Handlers{Report: func(ctx context.Context, r tasks.Report) error { return p.reporter.Handlers().Report(ctx, r) }})
	}()
	t.Cleanup(func() { cancel(); require.NoError(t, <-done) })
	return p
}

// configure sets who gets reports, like a restart with another configuration.
func (p *reportEnvironment) configure(reporting report.Reporting) {
	p.T.Helper()
	p.Scheduler.Reporting = reporting
	mail := worker.Mail{SenderPwd: "secret", SMTP: worker.SMTP{Server: p.box.Address, CAFile: p.box.CAFile}}
	require.NoError(p.T, worker.Config{Reporting: reporting, Mail: worker.Mail{SMTP: mail.SMTP}}.Validate())
	mailer, err := worker.NewMailer(reporting, mail)
	require.NoError(p.T, err)
	p.reporter = &worker.Reporter{DB: p.DB, Directory: p.Cloud, Settings: p.Settings, Reporting: reporting, Mailer: mailer}
}

// runReports runs reports once and waits until the workers are idle.
func (p *reportEnvironment) runReports() {
	p.T.Helper()
	p.runReportsWithin(5 * time.Minute)
}

func (p *reportEnvironment) runReportsWithin(timeout time.Duration) {
	p.T.Helper()
	require.NoError(p.T, p.Scheduler.Report(p.Ctx, p.BeginRun()))
	testkit.Eventually(p.T, "no report is left in the queue", timeout, func() bool {
		var left []*redis.IntCmd
		_, err := p.Redis.TxPipelined(p.Ctx, func(r redis.Pipeliner) error {
			for _, key := range []string{"pending", "active"} {
				left = append(left, r.LLen(p.Ctx, "asynq:{reports}:"+key))
			}
			left = append(left, r.ZCard(p.Ctx, "asynq:{reports}:retry"))
			return nil
		})
		require.NoError(p.T, err)
		return !slices.ContainsFunc(left, func(n *redis.IntCmd) bool { return n.Val() > 0 })
	})
}

// advanceAll lets time pass with all runs, including reports.
func (p *reportEnvironment) advanceAll(total time.Duration) {
	p.T.Helper()
	for end := p.Clock.Now().Add(total); p.Clock.Now().Before(end); p.Step(30 * time.Minute) {
		p.RunDue()
		p.runReports()
	}
}

// made returns the IDs of the project's backups in Cinder.
func (p *reportEnvironment) made(project string) (ids []string) {
	for _, r := range p.Records("available_at IS NOT NULL") {
		if r.ProjectID == project {
			ids = append(ids, r.BackupID)
		}
	}
	return ids
}

// mentions counts how often the mails of a receiver mention a backup.
func (p *reportEnvironment) mentions(receiver, backupID string) (n int) {
	for _, m := range p.box.To(receiver) {
		n += strings.Count(rig.MailText(m), backupID)
	}
	return n
}

// addMember adds a user with an address and a role to a project.
func (p *reportEnvironment) addMember(project, name, email string) string {
	id := p.Sim.AddUser(name, name, email)
	p.Sim.Grant(id, project, "member")
	return id
}
