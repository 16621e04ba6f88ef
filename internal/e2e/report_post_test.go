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
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
	"staffeln/internal/testkit/mailbox"
	"staffeln/tasks"
	"staffeln/view/report"
	"staffeln/worker"
)

const from = "staffeln@ops.example"

// post is a world whose reports go to a real mail server.
type post struct {
	*world

	box      *mailbox.Server
	reporter *worker.Reporter
}

// hourly backs up each hour, and reports each six hours.
func hourly(set *backup.Settings, o *cloudsim.Options) {
	set.BackupMinInterval, set.BackupServicePeriod = backup.Duration(time.Hour), backup.Duration(time.Hour)
	set.ReportPeriod, set.BackupCycleTimeout = backup.Duration(6*time.Hour), backup.Duration(time.Hour)
	o.BackupTime = cloudsim.Fixed(30 * time.Second)
	o.Backups, o.BackupGigabytes = 1000, 10000
}

func newPost(t *testing.T, reporting report.Reporting) *post {
	t.Helper()
	p := &post{world: newWorld(t, hourly), box: mailbox.Start(t, mailbox.Options{TLS: true, User: from, Password: "secret"})}
	p.tell(reporting)
	ctx, cancel := context.WithCancel(p.ctx)
	done := make(chan error, 1)
	go func() {
		done <- tasks.Serve(ctx, p.rdb, tasks.ServerConfig{
			Concurrency: 4, PollPeriod: 10 * time.Millisecond, CheckInterval: time.Millisecond, Log: *zerolog.Ctx(p.ctx), Metrics: telemetry.NewMetrics(),
		}, tasks.Handlers{Report: func(ctx context.Context, r tasks.Report) error { return p.reporter.Handlers().Report(ctx, r) }})
	}()
	t.Cleanup(func() { cancel(); require.NoError(t, <-done) })
	return p
}

// tell sets whom reports go to, as a start with another configuration does.
func (p *post) tell(reporting report.Reporting) {
	p.t.Helper()
	p.sched.Reporting = reporting
	mail := worker.Mail{SenderPwd: "secret", SMTP: worker.SMTP{Server: p.box.Address, CAFile: p.box.CAFile}}
	require.NoError(p.t, worker.Config{Reporting: reporting, Mail: worker.Mail{SMTP: mail.SMTP}}.Validate())
	mailer, err := worker.NewMailer(reporting, mail)
	require.NoError(p.t, err)
	p.reporter = &worker.Reporter{DB: p.db, Directory: p.cloud, Settings: p.set, Reporting: reporting, Mailer: mailer}
}

// turn runs the reports' beat and waits until the workers have nothing left to do.
func (p *post) turn() {
	p.t.Helper()
	p.turnWithin(5 * time.Minute)
}

func (p *post) turnWithin(patience time.Duration) {
	p.t.Helper()
	require.NoError(p.t, p.sched.Report(p.ctx, p.beat()))
	testkit.Eventually(p.t, "no report is left in the queue", patience, func() bool {
		var left []*redis.IntCmd
		_, err := p.rdb.TxPipelined(p.ctx, func(r redis.Pipeliner) error {
			for _, key := range []string{"pending", "active"} {
				left = append(left, r.LLen(p.ctx, "asynq:{reports}:"+key))
			}
			left = append(left, r.ZCard(p.ctx, "asynq:{reports}:retry"))
			return nil
		})
		require.NoError(p.t, err)
		return !slices.ContainsFunc(left, func(n *redis.IntCmd) bool { return n.Val() > 0 })
	})
}

// pass lets time pass with all beats, reports among them.
func (p *post) pass(total time.Duration) {
	p.t.Helper()
	for end := p.clock.Now().Add(total); p.clock.Now().Before(end); p.step(30 * time.Minute) {
		p.beats()
		p.turn()
	}
}

// ended are the backups that were made, by Cinder's ID.
func (p *post) made(project string) (ids []string) {
	for _, r := range p.rows("available_at IS NOT NULL") {
		if r.ProjectID == project {
			ids = append(ids, r.BackupID)
		}
	}
	return ids
}

// words is the plain text of a mail, with the soft breaks of its encoding taken out.
func words(m mailbox.Mail) string {
	_, text, _ := strings.Cut(m.Body, "\r\n\r\n")
	text, _, _ = strings.Cut(text, "\r\n--")
	return strings.ReplaceAll(strings.ReplaceAll(text, "=\r\n", ""), "=3D", "=")
}

// told is how often a mail of the inbox names a backup.
func (p *post) told(receiver, backupID string) (n int) {
	for _, m := range p.box.To(receiver) {
		n += strings.Count(words(m), backupID)
	}
	return n
}

// member makes a user with an address and a role in a project.
func (p *post) member(project, name, email string) string {
	id := p.sim.AddUser(name, name, email)
	p.sim.Grant(id, project, "member")
	return id
}
