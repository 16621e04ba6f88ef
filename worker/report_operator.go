package worker

import (
	"context"
	"time"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/report"
)

// TellOperator gathers the findings about no single project, where each project gets a report of its own.
func TellOperator(ctx context.Context, l *db.Look, set backup.Settings, before *time.Time) (Told, error) {
	findings, err := l.Findings(ctx)
	if err != nil {
		return Told{}, err
	}
	told := Told{Report: report.Report{Group: report.All, At: l.Now, From: l.Now, LateAfter: int64(set.Late() / time.Second)}}
	for _, f := range findings {
		if f.ProjectID == "" {
			told.Report.Findings = append(told.Report.Findings, finding(f))
			if before == nil && f.Since.Before(told.Report.From) {
				told.Report.From = f.Since.UTC()
			}
		}
	}
	if before != nil {
		told.Report.From = before.UTC()
	}
	return told, nil
}
