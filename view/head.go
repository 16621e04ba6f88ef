package view

import (
	"context"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// AsOf is the head of every view: how old it is.
type AsOf struct {
	At        time.Time  `json:"at" desc:"the database's clock, by which all ages count"`
	PlannedAt *time.Time `json:"planned_at" desc:"grid time of the newest plan, which this view knows the cloud by; null: there was none"`
	Warnings  []string   `json:"warnings" desc:"what is wrong with Staffeln itself"`
}

// Head reads the head of a view, as a forecast means little if nothing plans. A project's reader sees that something is
// wrong; only an operator sees what.
func (r Reader) Head(ctx context.Context, l *db.Snapshot) (AsOf, Leader, error) {
	leader, err := l.Leader(ctx)
	if err != nil {
		return AsOf{}, Leader{}, err
	}
	leads, warnings := Leading(l.Now, leader, r.Settings)
	if r.Project != "" {
		leads = Leader{Runs: []Run{}}
		if len(warnings) > 0 {
			warnings = []string{"Staffeln itself is not working as it should. Its operator must act."}
		}
	}
	return AsOf{At: l.Now, PlannedAt: leader.PlannedAt, Warnings: warnings}, leads, nil
}

// Leader is the scheduler that leads, and its newest runs.
type Leader struct {
	Name  string     `json:"name" desc:"host and process of the one that leads, or that led last"`
	Leads bool       `json:"leads" desc:"whether any scheduler leads now"`
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
func Leading(now time.Time, l db.Leader, set backup.Settings) (Leader, []string) {
	v, warnings := Leader{Name: l.Leader, Leads: l.Leads, Term: l.Term, Since: l.Since}, []string{}
	if !l.Leads {
		warnings = append(warnings, "No scheduler leads now: nothing is planned, dispatched or removed. Start one: `staffeln scheduler`.")
	}
	switch {
	case !l.Leads: // the last queue finding may be over
	case l.Queue == backup.NoWorker:
		warnings = append(warnings, backup.NoWorker.Sentence()+" Start one: `staffeln worker`.")
	case l.Queue == backup.QueueUnreachable:
		warnings = append(warnings, backup.QueueUnreachable.Sentence()+" Start it, or check STAFFELN_REDIS_URL.")
	}
	for _, b := range []struct {
		name, says string
		at         *time.Time
		period     backup.Duration
	}{
		{"plan", "its log says whether it can reach Keystone, Nova and Cinder", l.PlannedAt, set.BackupServicePeriod},
		{"dispatch", "its log says whether it can reach Redis", l.DispatchedAt, set.PollPeriod},
		{"retention", "its log says why", l.RetentionAt, set.RetentionServicePeriod},
		{"reconcile", "its log says whether it can list Cinder's backups", l.ReconciledAt, set.ReconcilePeriod},
	} {
		run := Run{Name: b.name, At: b.at, Period: int64(b.period.Std() / time.Second)}
		// in a term that has just begun nothing can be late
		since := b.at
		if since == nil {
			since = l.Since
		}
		run.Late = since != nil && now.Sub(*since) > 2*b.period.Std()
		if run.Late {
			age := "there was none"
			if b.at != nil {
				age = "the newest is " + backup.Span(now.Sub(*b.at)) + " old"
			}
			warnings = append(warnings, "The "+b.name+" run is due every "+b.period.String()+", and "+age+": look at the scheduler; "+b.says+".")
		}
		v.Runs = append(v.Runs, run)
	}
	return v, warnings
}
