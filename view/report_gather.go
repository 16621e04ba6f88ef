package view

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/visible"
	"staffeln/view/report"
)

// A GatheredReport is a report without its quotas, and the records that it is about.
type GatheredReport struct {
	Report   Report
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
	rpo := set.RPO()
	t := reportBuilder{now: l.Now, set: set, projects: map[string]*ReportProject{}}
	sizes, err := l.ProjectSizes(ctx, projectID)
	if err != nil {
		return GatheredReport{}, err
	}
	results, err := l.Results(ctx, projectID)
	if err != nil {
		return GatheredReport{}, err
	}
	lates, err := l.Lateness(ctx, rpo, projectID)
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
	g := GatheredReport{Report: Report{Group: group, At: l.Now, From: l.Now, LateAfter: int64(rpo.Of(0) / time.Second)}}
	if t.expiries, err = expiriesOf(ctx, l, set, results); err != nil {
		return GatheredReport{}, err
	}
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
		t.lateness(one, rpo)
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
			p.Findings = append(p.Findings, FindingOf(f))
		case f.ProjectID == "" && projectID == "":
			g.Report.Findings = append(g.Report.Findings, FindingOf(f))
		}
	}
	g.Report.Projects = t.sorted(sizes)
	g.Report = g.Report.WithRestore()
	return g, nil
}

// A reportBuilder builds one report.
type reportBuilder struct {
	now      time.Time
	set      backup.Settings
	projects map[string]*ReportProject
	expiries map[string]expiry // by backup ID
}

func (t *reportBuilder) project(id, name string) *ReportProject {
	p := t.projects[id]
	if p == nil {
		p = &ReportProject{ID: id}
		t.projects[id] = p
	}
	p.Name = cmp.Or(p.Name, name)
	return p
}

// sorted returns the projects that have something to report, by name.
func (t *reportBuilder) sorted(sizes map[string]db.ProjectSize) []ReportProject {
	var all []ReportProject
	for id, p := range t.projects {
		if p.Empty() {
			continue
		}
		p.Name, p.Protected = cmp.Or(sizes[id].Name, p.Name), sizes[id].Protected
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b ReportProject) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return all
}

func (t *reportBuilder) result(r db.Result) {
	p := t.project(r.ProjectID, r.ProjectName)
	if r.FailedAttempt() {
		next, at := t.after(r)
		p.Failed = append(p.Failed, FailedAttempt{FailureOf(r.Record), r.ID, r.BackupID, next, at})
		return
	}
	s := Success{VolumeNames: ObjectOf(r.Record).VolumeNames, Record: r.ID, BackupID: r.BackupID, Kind: r.Kind, SizeGiB: r.SizeGiB, StartedAt: r.CreatedAt.UTC(), Gone: gone(r)}
	if r.RequestedAt != nil {
		s.StartedAt = r.RequestedAt.UTC()
	}
	if took, known := r.Took(); known {
		s.StartedAt, s.Took = r.StartedAt.UTC(), int64(took/time.Second)
	}
	if s.Gone == "" {
		f := t.expiries[r.BackupID]
		s.KeptUntil, s.Kept = f.removalAt, f.reason
	}
	p.Succeeded = append(p.Succeeded, s)
}

// gone returns why Cinder no longer has a backup that was made; empty: it still has it.
func gone(r db.Result) string {
	switch r.State {
	case backup.Lost:
		if r.Reason == backup.ProjectGone {
			return "removed together with its project since"
		}
		return "removed by somebody else since"
	case backup.Deleted:
		if r.RemovalReason == backup.ProjectPurged {
			return "removed since: its project was deleted"
		}
		return "removed since: its retention was over"
	case backup.Planned, backup.Creating, backup.Overdue, backup.Available, backup.Deleting, backup.Withdrawn, backup.Failed, backup.Undeletable:
	}
	return ""
}

// after returns what comes after a failure, and when.
func (t *reportBuilder) after(r db.Result) (AfterFailure, *time.Time) {
	switch {
	case r.SucceededAt != nil:
		return SucceededSince, new(r.SucceededAt.UTC())
	case r.InProgress:
		return AnotherInProgress, nil
	case !r.Wanted:
		return NotRetried, nil
	case r.Paused:
		return WhilePaused, nil
	}
	// The newest plan set the time until which it waits. If that is over, or the plan was before the failure, the next one decides.
	at := backup.Grid(t.now, t.set.BackupServicePeriod.Std()).Add(t.set.BackupServicePeriod.Std())
	if r.DecisionUntil != nil && r.DecisionUntil.After(at) {
		at = r.DecisionUntil.UTC()
	}
	return Retried, &at
}

func (t *reportBuilder) lateness(one db.Lateness, rpo backup.RPO) {
	p := t.project(one.ProjectID, one.ProjectName)
	why := cmp.Or(one.Failure, one.Reason)
	l := Late{
		VolumeNames: namesOf(one.VolumeProtection), Reason: ReasonOf(why),
	}
	if one.NewestAt != nil {
		l.NewestAt, l.Since = new(one.NewestAt.UTC()), new(one.NewestAt.UTC().Add(rpo.Of(one.Usual)))
		p.Late = append(p.Late, l)
		return
	}
	if one.ProtectedSince != nil {
		l.Since, l.TooLong = new(one.ProtectedSince.UTC()), one.Protection() == backup.Late
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
	detail := fmt.Sprintf("backup of volume %s, %s", visible.Named(r.VolumeName, r.VolumeID), r.State)
	if words != "" {
		detail += ": " + words
	}
	p.Findings = append(p.Findings, Finding{
		ReasonOf(why), r.ProjectID, r.ProjectName, r.BackupID, r.BackupName, r.VolumeID, r.VolumeName, detail, since.UTC(),
	})
}

// expiriesOf returns, by backup ID, the expiry of the restore points in a report: the same as in all other views. It is read
// in parts, because the first report after a long time may have very many. A volume may be in two parts; its forecast is the
// same in both.
func expiriesOf(ctx context.Context, l *db.Snapshot, set backup.Settings, results []db.Result) (map[string]expiry, error) {
	all := map[string]expiry{}
	made := slices.DeleteFunc(Each(results, func(r db.Result) backup.Record { return r.Record }), func(r backup.Record) bool { return r.AvailableAt == nil })
	slices.SortStableFunc(made, func(a, b backup.Record) int { return strings.Compare(a.VolumeID, b.VolumeID) })
	for some := range slices.Chunk(made, 1000) {
		found, err := Reader{Settings: set}.expiries(ctx, l, some)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, found)
	}
	return all, nil
}
