//go:build browser

package browser

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/db"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/e2e/rig/chromium"
)

// A step is a click on the element of a CSS selector, and what the page shows then.
type step struct{ click, shows string }

// A task is a question that a person has, and the steps from the overview to what shows it.
type task struct {
	question string
	steps    []step
}

// What people come for is at most three clicks away from the overview.
func TestDailyTasksInBrowser(t *testing.T) {
	t.Parallel()
	r := rig.NewSite(t, 1000*time.Hour)
	_, poor := r.Protect(r.Acme, "poor", 1)
	r.Sim.SetVolumeStatus(poor[0], "error")
	idle := r.Sim.AddVolume(r.Acme, "scratch", 1)
	r.Sim.Attach(r.Sim.AddServer(r.Acme, "idle", nil), idle)
	r.Protect(r.Acme, "fresh", 1)
	r.Step(6 * time.Hour)
	r.Plan()
	addMonth(t, r)
	r.Retention()
	lead, err := db.Lead(r.Ctx, r.Environment.URL, "scheduler-1")
	require.NoError(t, err)
	t.Cleanup(lead.Resign)

	volume := fmt.Sprintf(`tbody a[href="/volumes/%s"]`, r.Volume)
	volumes := step{`nav a[href="/volumes"]`, "Newest restore point"}
	projects := step{`nav a[href="/projects"]`, "The forecast assumes"}
	tenant := []task{
		{"is my server protected?", []step{volumes, {`tr:has(a[href="/volumes/` + r.Volume + `"]) a[href^="/servers/"]`, "Why"}}},
		{"how do I protect this volume?", []step{{`.summary .unprotected a`, "scratch"}, {fmt.Sprintf(`tbody a[href="/volumes/%s"]`, idle), "it is attached to"}, {`.facts a[href^="/servers/"]`, "How to protect it"}}},
		{"what failed last night, and why?", []step{{`.reasons a`, "Kept until"}, {`td[data-label="State"] summary`, "must take action"}}},
		{"how do I restore yesterday's?", []step{volumes, {volume, "Chains"}, {`.chain .restore summary`, "openstack volume backup restore"}}},
		{"how long is it kept?", []step{volumes, {volume, "Kept until"}}},
		{"when is the next backup?", []step{volumes, {volume, "Decision, and what comes next"}}},
		{"what is not backed up yet?", []step{{`.summary .waiting a`, "fresh"}}},
	}
	operator := []task{
		{"which project is near its quota?", []step{projects, {`th a[href*="sort=-quota"]`, "full in"}}},
		{"what does one project store?", []step{projects, {fmt.Sprintf(`td[data-label="Restore points"] a[href*=%q]`, r.Globex), "available"}}},
		{"who works?", []step{{"", "Last heartbeat"}}},
		{"what runs, and until when?", []step{{"", "Usual end"}}},
	}
	b := chromium.Start(t, "")
	for _, visit := range []struct {
		user, project string
		tasks         []task
	}{{"alice", "acme", tenant}, {"root", "admin", operator}} {
		b.SignIn(r.URL, visit.user, visit.user+"-secret", visit.project)
		for _, task := range visit.tasks {
			b.Open(r.URL + "/")
			clicks := 0
			for _, one := range task.steps {
				if one.click != "" {
					b.Click(one.click)
					clicks++
				}
				b.Shows(one.shows)
			}
			t.Logf("%-35s %d clicks", task.question, clicks)
			require.LessOrEqual(t, clicks, 3, task.question)
		}
		b.Click(`.who button`)
		b.Shows("Sign in")
	}
}
