package view

import (
	"context"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// AsOf is the metadata of every view: how old it is, and what is wrong with Staffeln.
type AsOf struct {
	At        time.Time  `json:"at" desc:"the database's clock, by which all ages count"`
	PlannedAt *time.Time `json:"planned_at" desc:"when the newest plan read the cloud, from which this view knows it; null: there was none"`
	// NextPlanAt is when the next plan is due; in the past if it is overdue.
	NextPlanAt time.Time `json:"next_plan_at" desc:"grid time of the next plan"`
	Warnings   []Warning `json:"warnings" desc:"what is wrong with Staffeln itself, the most important first"`

	stopped   backup.WaitCode // the part of Staffeln that does not work
	tenant    bool            // the reader may see one project only, and not what does not work in Staffeln
	processes []Process
}

// Metadata reads the metadata of a view, because a forecast means little if nothing plans. A project's reader sees that
// something is wrong; only an operator sees what.
func (r Reader) Metadata(ctx context.Context, l *db.Snapshot) (AsOf, Leader, error) {
	leader, err := l.Leader(ctx)
	if err != nil {
		return AsOf{}, Leader{}, err
	}
	heartbeats, err := l.Heartbeats(ctx)
	if err != nil {
		return AsOf{}, Leader{}, err
	}
	processes := processesOf(l.Now, heartbeats)
	leads, warnings := Leading(l.Now, leader, processes, r.Settings)
	if r.Project != "" {
		leads, processes = Leader{Runs: []Run{}}, nil
		if len(warnings) > 0 {
			warnings = []Warning{{"not_working", "Staffeln itself is not working as it should. Its operator must take action."}}
		}
	}
	v := AsOf{
		At: l.Now, PlannedAt: leader.PlannedAt, Warnings: warnings, stopped: stopped(leader, processesOf(l.Now, heartbeats)), processes: processes,
		tenant: r.Project != "",
	}
	v.NextPlanAt = nextPlan(v, r.Settings.BackupServicePeriod.Std())
	return v, leads, nil
}

// NoPlanYet returns a sentence if no plan of this installation has run: nothing is known about volumes. Otherwise it returns "".
func (a AsOf) NoPlanYet() string {
	if a.PlannedAt != nil {
		return ""
	}
	return "No plan has run yet: nothing is known about volumes. The first one " + ComesAt(a.NextPlanAt, a.At) + "."
}

// Leader is the scheduler that leads, and its newest runs.
type Leader struct {
	Name  string     `json:"name" desc:"host and process of the active scheduler, or of the last one that was active"`
	Leads bool       `json:"leads" desc:"whether a scheduler is active now"`
	Term  int64      `json:"term" desc:"number of its leadership"`
	Since *time.Time `json:"since" desc:"when it began"`
	Runs  []Run      `json:"runs" desc:"plan, dispatch, retention and reconcile"`
}

// Run is one of the scheduler's periodic runs.
type Run struct {
	Name   string     `json:"name" desc:"which one"`
	At     *time.Time `json:"at" desc:"the newest; null: never"`
	Period int64      `json:"period_seconds" desc:"how often it should come"`
	Late   bool       `json:"late" desc:"it is older than two periods"`
}

// Leading returns the leader with its newest runs, and warnings about what is wrong.
func Leading(now time.Time, l db.Leader, processes []Process, set backup.Settings) (Leader, []Warning) {
	v, warnings := Leader{Name: l.Leader, Leads: l.Leads, Term: l.Term, Since: l.Since}, []Warning{}
	if what := stopped(l, processes); what != "" {
		warnings = append(warnings, stoppedWarnings[what])
	}
	for _, b := range []struct {
		name, hint string
		at         *time.Time
		period     backup.Duration
	}{
		{"plan", "its log shows whether it can reach Keystone, Nova and Cinder", l.PlannedAt, set.BackupServicePeriod},
		{"dispatch", "its log shows whether it can reach Redis", l.DispatchedAt, set.PollPeriod},
		{"retention", "its log shows why", l.RetentionAt, set.RetentionServicePeriod},
		{"reconcile", "its log shows whether it can list Cinder's backups", l.ReconciledAt, set.ReconcilePeriod},
	} {
		run := Run{Name: b.name, At: b.at, Period: int64(b.period.Std() / time.Second)}
		// a run that never happened is late only if the term has lasted for longer than its period
		since := b.at
		if since == nil {
			since = l.Since
		}
		run.Late = since != nil && now.Sub(*since) > backup.RunLateAfter(b.period)
		if run.Late {
			age := "there was none"
			if b.at != nil {
				age = "the newest is " + backup.Span(now.Sub(*b.at)) + " old"
			}
			words := "The " + b.name + " run is due every " + b.period.String() + ", and " + age + ": check the scheduler; " + b.hint + "."
			warnings = append(warnings, Warning{b.name + "_late", words})
		}
		v.Runs = append(v.Runs, run)
	}
	return v, warnings
}
