package view

import (
	"cmp"
	"context"
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// ProjectList are all projects, for operators.
type ProjectList struct {
	AsOf

	Projects []ProjectSummary `json:"projects" desc:"those that have volumes or restore points"`
}

// ProjectSummary is one project: what is protected, what failed, what it stores, and its quota.
type ProjectSummary struct {
	ProjectID   string     `json:"project_id" desc:"Keystone's"`
	ProjectName string     `json:"project_name" desc:"its name"`
	Volumes     Counts     `json:"volumes" desc:"how many volumes have which protection"`
	Failed      int        `json:"failed" desc:"attempts that failed in the last 24 hours"`
	Points      int        `json:"restore_points" desc:"how many it has, as of the newest retention run"`
	GiB         int        `json:"gib" desc:"sum of their volumes' sizes when they were backed up, as Cinder's quota counts"`
	Backups     *Quota     `json:"quota_backups" desc:"quota of backups when it was read last; null: never"`
	Gigabytes   *Quota     `json:"quota_gigabytes" desc:"quota of backup gigabytes when it was read last; null: never"`
	QuotaReadAt *time.Time `json:"quota_read_at" desc:"when the quota was read: with the project's reports, and after a backup failed because of it; null: never"`
	FullInDays  *int       `json:"quota_full_in_days" desc:"in how many days the gigabytes are used up if the project grows as in the days before; null: it does not grow, has no limit, or this is not known"`
}

// Name returns the project's name, or its ID.
func (p ProjectSummary) Name() string { return Or(p.ProjectName, p.ProjectID) }

// QuotaRate returns the larger share of the two quotas, in percent; -1: not known, or unlimited.
func (p ProjectSummary) QuotaRate() int {
	rate := -1.0
	for _, q := range []*Quota{p.Backups, p.Gigabytes} {
		switch {
		case q == nil:
		case q.Limit == 0:
			rate = max(rate, 1)
		default:
			rate = max(rate, q.Rate)
		}
	}
	if rate < 0 {
		return -1
	}
	return int(100 * rate)
}

// Projects lists all projects by name. Only an operator's reader may call it.
func (r Reader) Projects(ctx context.Context, l *db.Snapshot) (ProjectList, error) {
	var list ProjectList
	var err error
	if list.AsOf, _, err = r.Metadata(ctx, l); err != nil {
		return list, err
	}
	protections, err := l.ProjectProtections(ctx, r.Settings.RPO())
	if err != nil {
		return list, err
	}
	stored, err := l.ProjectStorages(ctx, l.Now.Truncate(24*time.Hour).AddDate(0, 0, -growthDays))
	if err != nil {
		return list, err
	}
	outcomes, err := l.Outcomes(ctx, "", l.Now.Add(-24*time.Hour))
	if err != nil {
		return list, err
	}
	quotas, err := l.ProjectQuotas(ctx)
	if err != nil {
		return list, err
	}
	all := map[string]*ProjectSummary{}
	of := func(p db.Project) *ProjectSummary {
		if all[p.ID] == nil {
			all[p.ID] = &ProjectSummary{ProjectID: p.ID, ProjectName: p.Name}
		}
		return all[p.ID]
	}
	for _, p := range protections {
		of(p.Project).Volumes = countsOf(p.Volumes)
	}
	growth := map[string]float64{}
	for _, s := range stored {
		p := of(s.Project)
		p.Points, p.GiB = s.Points, s.GiB
		growth[p.ProjectID] = growthOf(l.Now, s)
	}
	for _, o := range outcomes {
		if p := all[o.ProjectID]; p != nil && o.Reason != "" {
			p.Failed += o.N
		}
	}
	for _, p := range all {
		if q, known := quotas[p.ProjectID]; known {
			p.Backups, p.Gigabytes, p.QuotaReadAt = JudgeQuota(q.Backups), JudgeQuota(q.Gigabytes), &q.ReadAt
			p.FullInDays = fullInDays(q.Gigabytes, growth[p.ProjectID])
		}
		list.Projects = append(list.Projects, *p)
	}
	slices.SortFunc(list.Projects, func(a, b ProjectSummary) int {
		return cmp.Or(cmp.Compare(a.ProjectName, b.ProjectName), cmp.Compare(a.ProjectID, b.ProjectID))
	})
	return list, nil
}

const (
	// growthDays is from how many days the growth of a project is estimated.
	growthDays = 14
	// farthestForecast is the longest forecast of a quota, in days.
	farthestForecast = 365
)

// growthOf returns by how many GiB a day a project grows. A day or two show no trend.
func growthOf(now time.Time, s db.ProjectStorage) float64 {
	days := int(now.Sub(s.FirstDay) / (24 * time.Hour))
	if days < 3 {
		return 0
	}
	return float64(s.GiB-s.FirstGiB) / float64(days)
}

// fullInDays returns in how many days a quota is used up; nil: not within a year.
func fullInDays(q backup.Quota, growth float64) *int {
	if q.Limit <= 0 || growth <= 0 {
		return nil
	}
	days := max(0, float64(q.Limit-q.Used())/growth)
	if days > farthestForecast {
		return nil
	}
	return new(int(days))
}
