package view

import (
	"context"
	"time"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/view/report"
)

// GatherOperatorReport gathers the findings about no single project, for when each project gets a report of its own.
func GatherOperatorReport(ctx context.Context, l *db.Snapshot, set backup.Settings, before *time.Time) (GatheredReport, error) {
	findings, err := l.Findings(ctx)
	if err != nil {
		return GatheredReport{}, err
	}
	g := GatheredReport{Report: Report{Group: report.All, At: l.Now, From: l.Now, LateAfter: int64(set.RPO().Of(0) / time.Second)}}
	for _, f := range findings {
		if f.ProjectID == "" {
			g.Report.Findings = append(g.Report.Findings, FindingOf(f))
			if before == nil && f.Since.Before(g.Report.From) {
				g.Report.From = f.Since.UTC()
			}
		}
	}
	if before != nil {
		g.Report.From = before.UTC()
	}
	return g, nil
}
