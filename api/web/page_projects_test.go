package web

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/view"
)

// The page of projects shows each quota: of a growing project when it is full, without a limit, and one that was never read.
// Names are text.
func TestPageOfProjectsShowsQuotas(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	quota := func(limit, used int) *view.Quota { return view.JudgeQuota(backup.Quota{Limit: limit, InUse: used}) }
	v := ProjectsPage{ProjectList: view.ProjectList{Projects: []view.ProjectSummary{
		{ProjectID: "a", ProjectName: "<i>soon", Failed: 3, Backups: quota(10, 5), Gigabytes: quota(100, 90), QuotaReadAt: &now, FullInDays: new(4), Volumes: view.Counts{Late: 2}},
		{ProjectID: "b", ProjectName: "later", Backups: quota(-1, 5), Gigabytes: quota(100, 10), QuotaReadAt: &now, FullInDays: new(300)},
		{ProjectID: "c", Backups: quota(-1, 5), Gigabytes: quota(-1, 7), QuotaReadAt: &now},
		{ProjectID: "d", Backups: quota(0, 0), Gigabytes: quota(0, 0), QuotaReadAt: &now},
		{ProjectID: "e"},
	}}}
	var html bytes.Buffer
	require.NoError(t, templates["projects"].ExecuteTemplate(&html, "layout", pageData{Now: now, Who: &access{all: true}, Path: "/projects", Body: map[string]any{
		"V": v, "List": list{"/projects", map[string]string{"sort": "-gib"}, ofProjects}, "Next": "", "Previous": "", "Filtered": false,
	}}))
	for _, want := range []string{
		`&lt;i&gt;soon`, `<span class="bad">full in 4 d</span>`, `<span class="faint">full in 300 d</span>`, `7 GiB, no limit`, `not read yet`, `90 of 100`,
		`aria-sort="descending" class="number"><a href="/projects?sort=gib">GiB ↓`, `/volumes?project=a&amp;protection=late`, `ended=2026-02-28T12%3a00%3a00Z`,
	} {
		assert.Contains(t, html.String(), want)
	}
}
