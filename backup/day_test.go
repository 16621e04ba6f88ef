package backup

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A day runs Next as the only scheduler, plan by plan.
type day struct {
	policy    Policy
	late      func(run int) time.Duration // delay of the plan after its grid time
	takes     time.Duration               // how long a backup runs
	fails     func(at time.Time) bool     // Cinder is broken
	plans     int                         // number of plans
	made      []Record                    // oldest first
	decisions []string                    // decisions with Create
}

func (d *day) run(t *testing.T) {
	t.Helper()
	midnight := time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)
	s, _ := subject(t, "")
	for gridTime := midnight; gridTime.Before(midnight.Add(24 * time.Hour)); gridTime = gridTime.Add(d.policy.Period) {
		at := gridTime
		if d.late != nil {
			at = at.Add(d.late(d.plans))
		}
		d.plans++
		d.progress(at)
		next := Next(at, d.policy, s, d.made)
		require.True(t, next.Reason.Known())
		if next.Action == Create {
			id := fmt.Sprintf("%03d", len(d.made))
			d.made = append(d.made, Record{
				ID: id, BackupID: "b" + id, ProjectID: "A", SizeGiB: 10, State: Creating, Kind: next.Kind,
				PlannedAt: Grid(at, d.policy.Period), RequestedAt: &at, ChangedAt: at,
			})
			d.decisions = append(d.decisions, gridTime.Format("15:04 ")+string(next.Kind)+" "+string(next.Reason))
		}
	}
	d.progress(midnight.Add(48 * time.Hour))
}

// progress ends the backups that have ended by now: good ones become available, bad ones fail, and their leftover is
// gone at the next plan.
func (d *day) progress(at time.Time) {
	for i := range d.made {
		r := &d.made[i]
		end := r.RequestedAt.Add(d.takes)
		switch {
		case r.State == Failed:
			r.State, r.ChangedAt = Deleted, at
		case r.State != Creating || end.After(at):
		case d.fails != nil && d.fails(*r.RequestedAt):
			r.State, r.EndedAt, r.ChangedAt, r.Reason = Failed, &end, end, BackupError
		default:
			r.State, r.EndedAt, r.ChangedAt, r.AvailableAt, r.DataTimestamp = Available, &end, end, &end, r.RequestedAt
		}
	}
}

func (d *day) kinds() string {
	var b strings.Builder
	for _, r := range d.made {
		b.WriteString(strings.ToUpper(string(r.Kind[:1])))
	}
	return b.String()
}

func TestDayHasExpectedNumberOfBackups(t *testing.T) {
	never := func(int) time.Duration { return 0 }
	// The delay is less than a period of the grid, and different each time.
	jitter := func(run int) time.Duration { return time.Duration(run*7919%599)*time.Second + time.Millisecond }
	alternating := func(run int) time.Duration { return time.Duration((run+1)%2) * 599 * time.Second }
	late := func(int) time.Duration { return 25 * time.Minute }
	for _, c := range []struct {
		rule  string
		late  func(int) time.Duration
		takes time.Duration
		want  int
	}{
		{"1h/10min depth 2", never, time.Minute, 24},
		{"30min/30min depth 2", never, time.Minute, 48},
		{"1h/10min depth 2", jitter, time.Minute, 24},
		{"1h/10min depth 2", alternating, time.Minute, 24},
		{"30min/30min depth 2", jitter, time.Minute, 48},
		{"1h/10min depth 2", never, 45 * time.Minute, 24}, // the slowest that still fits
		{"1h/10min depth 2", jitter, 45 * time.Minute, 24},
		{"0s/10min depth 2", jitter, time.Second, 144},  // interval 0: at every plan
		{"45min/10min depth 2", never, time.Minute, 29}, // every 50 minutes
		{"1d/1h depth 2", jitter, 3 * time.Hour, 1},
		{"45min/30min depth 2", late, time.Second, 24}, // hourly: late plans count from their grid time too
	} {
		d := &day{policy: rule(t, c.rule), late: c.late, takes: c.takes}
		d.run(t)
		require.Len(t, d.made, c.want, "%s: %v", c.rule, d.decisions)
	}
}

func TestDayOfKinds(t *testing.T) {
	for depth, want := range map[int]string{
		0: strings.Repeat("F", 24), 1: strings.Repeat("FI", 12), 2: strings.Repeat("FII", 8), 5: strings.Repeat("FIIIII", 4),
		100: "F" + strings.Repeat("I", 23),
	} {
		d := &day{policy: Policy{Interval: time.Hour, Period: 10 * time.Minute, Depth: depth}, takes: time.Minute}
		d.run(t)
		require.Equal(t, want, d.kinds(), "depth %d", depth)
	}
}

// Cinder is broken from 06:00 to 09:00: the attempts become less frequent, and the first successful one continues the
// chain.
func TestDayWithOutage(t *testing.T) {
	broken := func(at time.Time) bool { return at.Hour() >= 6 && at.Hour() < 9 }
	d := &day{policy: rule(t, "1h/10min depth 2"), takes: time.Minute, fails: broken}
	d.run(t)
	require.Equal(t, []string{
		"05:00 incremental chain_continues",
		"06:00 full chain_complete",
		"06:10 full chain_complete",
		"06:30 full chain_complete",
		"07:10 full chain_complete",
		"08:10 full chain_complete",
		"09:10 full chain_complete",
		"10:10 incremental chain_continues",
	}, d.decisions[5:13])
	require.Len(t, d.made, 21+5, "21 good ones: the outage cost its three hours and no more")
}

// A backup that runs longer than the interval delays the next one, and no two backups run at the same time.
func TestDayOfSlowBackups(t *testing.T) {
	d := &day{policy: rule(t, "1h/10min depth 2"), takes: 95 * time.Minute}
	d.run(t)
	require.Len(t, d.made, 15, "%v", d.decisions)
	for i, r := range d.made[1:] {
		require.False(t, r.RequestedAt.Before(*d.made[i].EndedAt))
	}
}
