package view

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/view/report"
)

// A GatheredReport is a report without its quotas, and the records that it is about.
type GatheredReport struct {
	Report   report.Report
	Records  []string
	Removals []string // records of restore points that were removed
}

// Empty reports whether there is nothing to report.
func (g GatheredReport) Empty() bool {
	return len(g.Report.Projects) == 0 && len(g.Report.Findings) == 0
}

// GatherReport gathers the content of a group's report. before is when its previous report was made; nil: there was none.
func GatherReport(ctx context.Context, l *db.Snapshot, set backup.Settings, group string, before *time.Time) (GatheredReport, error) {
	projectID := group
	if group == report.All {
		projectID = ""
	}
	late := set.Late()
	t := reportBuilder{now: l.Now, set: set, projects: map[string]*report.Project{}}
	sizes, err := l.ProjectSizes(ctx, projectID)
	if err != nil {
		return GatheredReport{}, err
	}
	results, err := l.Results(ctx, projectID)
	if err != nil {
		return GatheredReport{}, err
	}
	lates, err := l.Lateness(ctx, late, projectID)
	if err != nil {
		return GatheredReport{}, err
	}
	stuck, err := l.Stuck(ctx, projectID)
	if err != nil {
		return GatheredReport{}, err
	}
	removed, err := l.RemovedPoints(ctx, projectID)
	if err != nil {
		return GatheredReport{}, err
	}
	few, err := l.FewVolumes(ctx, projectID, set.MinRestorePoints)
	if err != nil {
		return GatheredReport{}, err
	}
	findings, err := l.Findings(ctx)
	if err != nil {
		return GatheredReport{}, err
	}
	g := GatheredReport{Report: report.Report{Group: group, At: l.Now, From: l.Now, LateAfter: int64(late / time.Second)}}
	for _, r := range results {
		t.result(r)
		g.Records = append(g.Records, r.ID)
		if r.CreatedAt.Before(g.Report.From) {
			g.Report.From = r.CreatedAt.UTC()
		}
	}
	if before != nil {
		g.Report.From = before.UTC()
	}
	for _, one := range lates {
		t.lateness(one, late)
	}
	for _, r := range stuck {
		t.stuck(r)
	}
	g.Removals = t.removed(removed)
	t.fewer(few)
	for _, f := range findings {
		switch {
		case f.ProjectID != "" && (projectID == "" || projectID == f.ProjectID):
			p := t.project(f.ProjectID, "")
			p.Findings = append(p.Findings, finding(f))
		case f.ProjectID == "" && projectID == "":
			g.Report.Findings = append(g.Report.Findings, finding(f))
		}
	}
	g.Report.Projects = t.sorted(sizes)
	return g, nil
}

// A reportBuilder builds one report.
type reportBuilder struct {
	now      time.Time
	set      backup.Settings
	projects map[string]*report.Project
}

func (t *reportBuilder) project(id, name string) *report.Project {
	p := t.projects[id]
	if p == nil {
		p = &report.Project{ID: id}
		t.projects[id] = p
	}
	p.Name = cmp.Or(p.Name, name)
	return p
}

// sorted returns the projects that have something to report, by name.
func (t *reportBuilder) sorted(sizes map[string]db.ProjectSize) []report.Project {
	var all []report.Project
	for id, p := range t.projects {
		if p.Empty() {
			continue
		}
		p.Name, p.Protected = cmp.Or(sizes[id].Name, p.Name), sizes[id].Protected
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b report.Project) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return all
}

func (t *reportBuilder) result(r db.Result) {
	p := t.project(r.ProjectID, r.ProjectName)
	of := report.Object{VolumeID: r.VolumeID, VolumeName: r.VolumeName, ServerID: r.ServerID, ServerName: r.ServerName}
	if r.AvailableAt == nil {
		next, at := t.after(r)
		p.Failed = append(p.Failed, report.Failure{
			Object: of, Record: r.ID, BackupID: r.BackupID, At: r.EndedAt.UTC(), Reason: r.Reason, Sentence: r.Reason.Sentence(),
			Text: r.ReasonText, RequestID: r.RequestID, MustAct: r.Reason.Whose(), Next: next, AgainAt: at,
		})
		return
	}
	s := report.Success{Object: of, Record: r.ID, BackupID: r.BackupID, Kind: r.Kind, SizeGiB: r.SizeGiB, StartedAt: r.CreatedAt.UTC(), Gone: gone(r)}
	if r.RequestedAt != nil {
		s.StartedAt = r.RequestedAt.UTC()
	}
	s.Took = int64(r.AvailableAt.Sub(s.StartedAt) / time.Second)
	if s.Gone == "" && r.DataTimestamp != nil {
		s.KeptUntil = new(r.Retention.After(*r.DataTimestamp))
	}
	p.Succeeded = append(p.Succeeded, s)
}

// gone returns why Cinder no longer has a backup that was made; empty: it still has it.
func gone(r db.Result) string {
	switch r.State {
	case backup.Lost:
		return "removed by somebody else since"
	case backup.Deleted:
		return "removed since: its retention was over"
	case backup.Planned, backup.Creating, backup.Overdue, backup.Available, backup.Deleting, backup.Withdrawn, backup.Failed, backup.Undeletable:
	}
	return ""
}

// after returns what comes after a failure, and when.
func (t *reportBuilder) after(r db.Result) (report.Next, *time.Time) {
	switch {
	case r.SucceededAt != nil:
		return report.SucceededSince, new(r.SucceededAt.UTC())
	case r.InProgress:
		return report.InProgress, nil
	case !r.Wanted:
		return report.NotRetried, nil
	case r.Paused:
		return report.WhilePaused, nil
	}
	// The newest plan set the time until which it waits. If that is over, or the plan was before the failure, the next one decides.
	at := backup.Grid(t.now, t.set.BackupServicePeriod.Std()).Add(t.set.BackupServicePeriod.Std())
	if r.DecisionUntil != nil && r.DecisionUntil.After(at) {
		at = r.DecisionUntil.UTC()
	}
	return report.Retried, &at
}

func (t *reportBuilder) lateness(one db.Lateness, late time.Duration) {
	p := t.project(one.ProjectID, one.ProjectName)
	why := cmp.Or(one.Failure, one.Reason)
	l := report.Late{
		Object: namesOf(one.VolumeProtection), Reason: why, Sentence: why.Sentence(),
	}
	if one.NewestAt != nil {
		l.NewestAt, l.Since = new(one.NewestAt.UTC()), new(one.NewestAt.UTC().Add(late))
		p.Late = append(p.Late, l)
		return
	}
	if one.ProtectedSince != nil {
		l.Since, l.Overdue = new(one.ProtectedSince.UTC()), one.Protection() == backup.Late
	}
	p.Never = append(p.Never, l)
}

// stuck adds the finding of a backup that is overdue, or that can't be removed.
func (t *reportBuilder) stuck(r backup.Record) {
	p := t.project(r.ProjectID, r.ProjectName)
	why, words, since := cmp.Or(r.RemovalReason, backup.DeletionStuck), r.RemovalText, r.ChangedAt
	if r.State == backup.Overdue {
		why, words = cmp.Or(r.Reason, backup.DeadlinePassed), r.ReasonText
	}
	detail := fmt.Sprintf("backup %s of volume %s (%s), %s", r.BackupID, cmp.Or(r.VolumeName, r.VolumeID), r.VolumeID, r.State)
	if words != "" {
		detail += ": " + words
	}
	p.Findings = append(p.Findings, report.Finding{
		Reason: why, Sentence: why.Sentence(), MustAct: why.Whose(), Object: r.BackupID, Detail: detail, Since: since.UTC(),
	})
}

func finding(f db.KeptFinding) report.Finding {
	return report.Finding{Reason: f.Reason, Sentence: f.Reason.Sentence(), MustAct: f.Reason.Whose(), Object: f.Object, Detail: f.Detail, Since: f.Since.UTC()}
}
