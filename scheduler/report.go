package scheduler

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/tasks"
	"staffeln/view/report"
)

// reportGrid is how often due reports, and mails whose next try is due, are searched. That is far less often than a
// dispatch, since the query reads all late volumes.
const reportGrid = 5 * time.Minute

// Report finds the groups whose report is due, or that have mails to send, and enqueues a task for each.
// It enqueues again every task that the queue lost. A dry run sends nothing.
func (s *Scheduler) Report(ctx context.Context, b *db.Run) error {
	unreported, err := b.Unreported(ctx, s.Settings.RPO())
	if err != nil {
		return err
	}
	groups, err := b.ReportGroups(ctx)
	if err != nil {
		return err
	}
	projects, operator, err := b.UnsentNotices(ctx)
	if err != nil {
		return err
	}
	unsent := unsentNotices{projects, operator}
	items := dueReports(b.Now, s.Settings.ReportPeriod.Std(), s.Reporting, unreported, unsent, groups)
	if s.Settings.DryRun {
		items = nil
	}
	counts, err := s.Queue.Dispatch(ctx, items)
	if len(items) > 0 {
		s.routine.line(ctx, "report", b.Now, false, outcomes(counts)).Int("groups", len(items)).Any("outcome", counts).Msg("reports dispatched")
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errNotEnqueued, err)
	}
	return b.Done(ctx, db.ReportRun, b.Now)
}

// unsentNotices are the projects that are to get a mail about a notice, and whether the operator is to get one.
type unsentNotices struct {
	projects []string
	operator bool
}

// dueReports returns a task for each group that needs one. Pure.
func dueReports(now time.Time, period time.Duration, reporting report.Reporting, unreported []db.Unreported, unsent unsentNotices, groups map[string]db.ReportGroup) []tasks.Item {
	waiting := map[string]report.Waiting{}
	for _, u := range unreported {
		id := u.ProjectID
		switch {
		case reporting.Together():
			id = report.All
		case id == "" && reporting.Has(report.All): // without a project: for the operator only, as no project's report has it
			id = report.All
		case id == "":
			continue
		}
		waiting[id] = waiting[id].Merge(report.Waiting{Result: u.Result, Matter: u.Matter})
	}
	needsTask := map[string]bool{}
	for id, w := range waiting {
		g := groups[id]
		w.Last = g.DeliveredAt
		mayMake := !g.Open && backup.Due(now, g.NextTryAt)
		needsTask[id] = mayMake && report.Due(now, period, w)
	}
	if !reporting.ToLog() {
		for _, id := range unsent.projects {
			needsTask[id] = needsTask[id] || !report.NoticesWait(now, groups[id].NextTryAt, groups[id].Failures)
		}
	}
	needsTask[report.All] = needsTask[report.All] || unsent.operator
	for id, g := range groups {
		needsTask[id] = needsTask[id] || g.MailDue
	}
	var items []tasks.Item
	for id, needed := range needsTask {
		if g := groups[id]; needed && !g.Leased {
			items = append(items, tasks.Item{Kind: tasks.ReportSend, Group: id, Abandoned: g.Abandoned})
		}
	}
	slices.SortFunc(items, func(x, y tasks.Item) int { return cmp.Compare(x.Group, y.Group) })
	return items
}
