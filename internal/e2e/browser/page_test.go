//go:build browser

// Package browser tests our pages in Chromium.
package browser

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/db"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/e2e/rig/chromium"
)

// A tenant and an operator use the page in every width and colour scheme.
func TestPageInBrowser(t *testing.T) {
	t.Parallel()
	r := rig.NewSite(t, 1000*time.Hour)
	r.Sim.AddServer(r.Acme, "typing-error", map[string]string{r.Settings.BackupMetadataKey: "yes please"})
	r.Protect(r.Acme, "new-"+r.Acme[:6], 1)
	r.Plan()
	r.Retention()
	r.Reconcile()
	r.Dispatch()
	lead, err := db.Lead(r.Ctx, r.Environment.URL, "scheduler-1")
	require.NoError(t, err)
	t.Cleanup(lead.Resign)
	b := chromium.Start(t, "")
	tenant := chromium.Visitor{URL: r.URL, Volume: r.Volume, Limit: 10, As: "alice", User: "alice", Password: "alice-secret", Project: "acme", Absent: "globex"}
	operator := tenant
	operator.As, operator.User, operator.Password, operator.Project, operator.Absent = "root", "root", "root-secret", "admin", ""
	b.Walk(tenant)
	b.Walk(operator)
}
