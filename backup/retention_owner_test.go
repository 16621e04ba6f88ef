package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The actions of a tenant between two plans, as the next plan sees them: the volume's project, and the requested
// retention ("-": the volume is not protected, "?": the plan can't read it).
var tenantActions = []struct{ project, retention string }{
	{"A", "30d"}, {"A", "1d"}, {"A", "2d"}, {"A", ""}, {"A", "x"}, {"A", "-"}, {"A", "?"}, {"B", "1d"},
}

// owned is one volume with the retention and the records of both projects, as the database stores them.
type owned struct {
	project   string
	retention Retention
	records   []Record
}

// plan runs one plan.
func (o owned) plan(at time.Time, b Bounds, project, retention string) owned {
	if retention == "?" {
		return o
	}
	if o.project == "" {
		o.project = project
	}
	if o.project != project {
		records := make([]Record, len(o.records))
		for i, r := range o.records { // as the transfer updates them
			if r.ProjectID == o.project && o.retention.InForce.Longer(r.PlannedAt, r.Retention) {
				r.Retention = o.retention.InForce
			}
			records[i] = r
		}
		o.records, o.project = records, project
		o.retention = o.retention.Of(project)
		o.retention.Since = &at
	}
	if retention == "-" {
		o.retention = o.retention.WithoutShorter()
		return o
	}
	w := Wish{Volume: Volume{ProjectID: project}, Unreadable: retention == "x"}
	if p, err := ParsePeriod(retention); err == nil && retention != "" {
		w.Retention = &p
	}
	o.retention = Retain(at, o.retention, w, b)
	return o
}

// Nothing that a tenant does (toggles the value, removes the key, unprotects the volume, transfers it away and back)
// shortens a retention of 30 days at once: a restore point is not removed earlier before plans in a row saw a shorter
// value for the whole delay. Every sequence of six plans is tried.
func TestNoSequenceOfTenantActionsShortensRetentionBeforeDelay(t *testing.T) {
	const delay, step = 4 * time.Hour, time.Hour
	b := Bounds{Default: period("10d"), ShortenDelay: delay, Gap: 2 * step}
	start := owned{}.plan(now, b, "A", "30d")
	start.records = []Record{{ID: "r", ProjectID: "A", State: Available, PlannedAt: now.Add(-time.Hour), Retention: period("30d")}}
	shortened := 0
	var try func(o owned, at time.Time, row time.Duration, last time.Time, steps string, left int)
	try = func(o owned, at time.Time, row time.Duration, last time.Time, steps string, left int) {
		if left == 0 {
			return
		}
		for _, d := range tenantActions {
			next := at.Add(step)
			after := o.plan(next, b, d.project, d.retention)
			seen, when := row, last // for how long plans in a row saw a shorter value, and the newest of those plans
			switch {
			case d.retention == "?":
			case d.project != "A" || d.retention == "30d" || d.retention == "x" || d.retention == "-":
				seen, when = 0, time.Time{}
			case when.IsZero():
				when = next
			default:
				seen, when = seen+min(next.Sub(when), b.Gap), next
			}
			kept := after.retention.For(after.records[0])
			if period("30d").Longer(at, kept) {
				require.GreaterOrEqual(t, seen, delay, "%s, %s of %s: kept for %s", steps, d.retention, d.project, kept)
				shortened++
				continue // the owner requested that all the time
			}
			try(after, next, seen, when, steps+", "+d.retention+" of "+d.project, left-1)
		}
	}
	try(start, now, 0, time.Time{}, "30d of A", 6)
	require.Positive(t, shortened, "the owner's own wish is followed in the end")
}

// A late plan counts for at most two periods: nobody saw the value in between.
func TestGapBetweenPlansDoesNotShortenRetention(t *testing.T) {
	b := Bounds{Default: period("10d"), ShortenDelay: 24 * time.Hour, Gap: time.Hour}
	o := owned{}.plan(now, b, "A", "30d").plan(now.Add(time.Minute), b, "A", "1d")
	o = o.plan(now.Add(100*time.Hour), b, "A", "1d")
	require.Equal(t, "4w2d", o.retention.InForce.String())
	require.Equal(t, time.Hour, o.retention.ShorterSeen)
	require.Equal(t, now.Add(123*time.Hour), mustShorten(t, RetentionInput{Guard: Guard{ProjectID: "A", Protected: true}, Retention: o.retention, Delay: b.ShortenDelay}))
}

func mustShorten(t *testing.T, h RetentionInput) time.Time {
	t.Helper()
	at, ok := h.Shortened()
	require.True(t, ok)
	return at
}

// The old owner's restore points keep the retention that they were made under; the new owner starts with its own,
// without a delay.
func TestRetentionOfTransferredVolumeKeepsOldOwnersPolicy(t *testing.T) {
	b := Bounds{Default: period("10d"), ShortenDelay: 24 * time.Hour}
	o := owned{}.plan(now, b, "A", "30d")
	o.records = []Record{{ID: "made", ProjectID: "A", PlannedAt: now, Retention: period("2d")}}
	require.Equal(t, period("30d"), o.retention.For(o.records[0]), "in force")
	o = o.plan(now.Add(time.Hour), b, "B", "1d")
	require.Equal(t, period("1d"), o.retention.InForce)
	require.Equal(t, "B", o.retention.Owner)
	require.Equal(t, period("30d"), o.retention.For(o.records[0]), "what was in force when it was transferred")
	require.Equal(t, period("1d"), o.retention.For(Record{ProjectID: "B", PlannedAt: now.Add(2 * time.Hour), Retention: period("1d")}))
	long := o.plan(now.Add(time.Hour), b, "B", "1y")
	require.Equal(t, period("1y"), long.retention.InForce)
	require.Equal(t, period("30d"), long.retention.For(o.records[0]), "what B asks for is nothing to A")
	o = o.plan(now.Add(2*time.Hour), b, "A", "1y")
	require.Equal(t, period("1y"), o.retention.For(o.records[0]), "back, and longer")
}
