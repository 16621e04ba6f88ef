package view

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"staffeln/backup"
	"staffeln/db"
)

func TestForecastOfAQuota(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		limit, used int
		growth      float64
		want        int // -1: none
	}{
		{100, 50, 10, 5},
		{100, 95, 10, 0},
		{100, 120, 10, 0},
		{100, 50, 0, -1},
		{100, 50, -1, -1},
		{-1, 50, 10, -1},
		{0, 0, 10, -1},
		{1000, 0, 1000.0 / 365, 365},
		{1000, 0, 1, -1},
	} {
		got := fullInDays(backup.Quota{Limit: c.limit, InUse: c.used}, c.growth)
		if c.want < 0 {
			assert.Nil(t, got, "%+v", c)
			continue
		}
		assert.Equal(t, &c.want, got, "%+v", c)
	}
	now := time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC)
	grown := func(days int) float64 {
		return growthOf(now, db.ProjectStorage{GiB: 50, FirstGiB: 10, FirstDay: now.Truncate(24*time.Hour).AddDate(0, 0, -days)})
	}
	assert.Equal(t, []float64{0, 0, 40.0 / 3, 4}, []float64{grown(0), grown(2), grown(3), grown(10)})
}

func TestOutcomesAddUp(t *testing.T) {
	t.Parallel()
	o := outcomesOf(time.Time{}, []db.Outcome{{ProjectID: "p", Reason: "", N: 995}, {ProjectID: "p", Reason: "quota_exceeded", N: 2}, {ProjectID: "q", Reason: "quota_exceeded", N: 1}, {ProjectID: "q", Reason: "backup_error", N: 2}, {ProjectID: "q", Reason: "", N: 0}})
	assert.Equal(t, []int{995, 5, 1000, 99}, []int{o.Succeeded, o.Failed, o.Attempts(), *o.Percent}, "not 100 % while anything failed")
	assert.Equal(t, []FailureCount{{ReasonOf("quota_exceeded"), 3}, {ReasonOf("backup_error"), 2}}, o.Failures)
	assert.Nil(t, outcomesOf(time.Time{}, nil).Percent)
	assert.Equal(t, -1, ProjectSummary{}.QuotaRate())
	assert.Equal(t, 100, ProjectSummary{Backups: JudgeQuota(backup.Quota{Limit: 0}), Gigabytes: JudgeQuota(backup.Quota{Limit: 10, InUse: 5})}.QuotaRate())
	assert.Equal(t, -1, ProjectSummary{Backups: JudgeQuota(backup.Quota{Limit: -1}), Gigabytes: JudgeQuota(backup.Quota{Limit: -1})}.QuotaRate())
}
