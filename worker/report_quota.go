package worker

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"staffeln/view"
)

const (
	// quotaTime limits the reading of all quotas of one report: the report is sent without those that are missing.
	quotaTime = 45 * time.Second
	// quotaReaders is how many are read at the same time.
	quotaReaders = 16
)

// AddQuotas reads the quotas of a report's projects with one request per project, as Cinder can't list them.
func AddQuotas(ctx context.Context, from Directory, r *view.Report) {
	ctx, cancel := context.WithTimeout(ctx, quotaTime)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(quotaReaders)
	for i := range r.Projects {
		group.Go(func() error { addQuota(ctx, from, &r.Projects[i]); return nil })
	}
	_ = group.Wait() // the errors are in the report
}

func addQuota(ctx context.Context, from Directory, p *view.ReportProject) {
	if ctx.Err() != nil {
		p.QuotaFault = "Cinder did not respond in time."
		return
	}
	backups, gigabytes, err := from.BackupQuota(ctx, p.ID)
	if err != nil {
		p.QuotaFault = "Cinder returned no quota: " + err.Error()
		return
	}
	p.Backups, p.Gigabytes = view.JudgeQuota(backups), view.JudgeQuota(gigabytes)
}
