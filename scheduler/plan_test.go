package scheduler

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
)

var hourly = backup.Settings{
	BackupServicePeriod: backup.Duration(10 * time.Minute), BackupMinInterval: backup.Duration(time.Hour), FullBackupDepth: 2,
}

// A plan during a pause creates no record and gives the reason, but withdraws unwanted records.
func TestPlanDuringPauseCreatesNoRecord(t *testing.T) {
	planned := backup.Record{ID: "r", VolumeID: "v", ProjectID: "p", State: backup.Planned, PlannedAt: now}
	for name, c := range map[string]struct {
		paused  db.Pauses
		volume  db.Volume
		records []backup.Record
		reason  backup.Reason
		planned int
		ended   []string
	}{
		"no pause":         {nil, db.Volume{Protected: true, Status: "in-use"}, nil, backup.FirstBackup, 1, nil},
		"another project":  {db.Pauses{{ProjectID: "q"}}, db.Volume{Protected: true, Status: "in-use"}, nil, backup.FirstBackup, 1, nil},
		"its project":      {db.Pauses{{ProjectID: "p"}}, db.Volume{Protected: true, Status: "in-use"}, nil, backup.Paused, 0, nil},
		"all":              {db.Pauses{{}}, db.Volume{Protected: true, Status: "in-use"}, nil, backup.Paused, 0, nil},
		"a bad status":     {db.Pauses{{}}, db.Volume{Protected: true, Status: "error"}, nil, backup.Paused, 0, nil},
		"planned":          {db.Pauses{{}}, db.Volume{Protected: true}, []backup.Record{planned}, backup.BackupInProgress, 0, nil},
		"planned, no more": {db.Pauses{{}}, db.Volume{}, []backup.Record{planned}, backup.NotProtected, 0, []string{"r"}},
		"not protected":    {db.Pauses{{}}, db.Volume{}, nil, backup.NotProtected, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlanner(now, hourly)
			p.paused = c.paused
			v := c.volume
			v.ID, v.ProjectID = "v", "p"
			p.decide(&v, c.records)
			require.Equal(t, c.reason, v.Reason)
			require.Len(t, p.records, c.planned)
			require.Equal(t, c.ended, p.withdrawIDs)
			require.Equal(t, &now, v.DecidedAt)
			if c.reason == backup.Paused {
				require.Equal(t, backup.Wait, v.Action)
				require.Nil(t, v.DecisionUntil, "time alone changes nothing")
				require.Equal(t, map[decisionCode]int{{backup.Wait, backup.Paused}: 1}, p.decisions)
			}
		})
	}
}

// Volumes become late during a pause, too.
func TestPlanDuringPauseCountsLateVolumes(t *testing.T) {
	p := newPlanner(now, hourly)
	p.paused = db.Pauses{{}}
	old := now.Add(-1000 * time.Hour)
	p.decide(&db.Volume{ID: "v", ProjectID: "p", Protected: true}, []backup.Record{{
		VolumeID: "v", ProjectID: "p", State: backup.Available, Kind: backup.Full, PlannedAt: old, DataTimestamp: &old, AvailableAt: &old, BackupID: "b",
	}})
	require.Equal(t, 1, p.protections[backup.Late])
}

func TestMetricCountsPauses(t *testing.T) {
	s := Scheduler{Metrics: telemetry.NewMetrics()}
	for n, paused := range []db.Pauses{nil, {{}}, {{}, {ProjectID: "p"}}} {
		p := newPlanner(now, hourly)
		p.paused = paused
		s.count(p)
		require.NoError(t, testutil.GatherAndCompare(s.Metrics.Registry, strings.NewReader(strings.ReplaceAll(`
# HELP staffeln_pauses Pauses that the newest plan saw: of single projects, or the one of all.
# TYPE staffeln_pauses gauge
staffeln_pauses N
`, "N", string(rune('0'+n)))), "staffeln_pauses"))
	}
}

// A late volume that the plan can't see is still late, so that an alarm continues. Restore points of a previous owner do
// not count for the new owner. Without a restore point, a volume is late when it has been protected for that long.
func TestUnseenLateVolumeIsStillLate(t *testing.T) {
	old, young := now.Add(-100*time.Hour), now.Add(-time.Minute)
	for name, c := range map[string]struct {
		record backup.Record
		volume db.Volume
		want   backup.Protection
	}{
		"late":           {backup.Record{ProjectID: "p", DataTimestamp: &old}, db.Volume{Protected: true}, "late"},
		"young":          {backup.Record{ProjectID: "p", DataTimestamp: &young}, db.Volume{Protected: true}, "unknown"},
		"not protected":  {backup.Record{ProjectID: "p", DataTimestamp: &old}, db.Volume{}, "unknown"},
		"of a new owner": {backup.Record{ProjectID: "q", DataTimestamp: &old}, db.Volume{Protected: true, ProtectedSince: &young}, "unknown"},
		"without any":    {backup.Record{ProjectID: "q", DataTimestamp: &young}, db.Volume{Protected: true, ProtectedSince: &old}, "late"},
		"before it was":  {backup.Record{ProjectID: "p", DataTimestamp: &young}, db.Volume{Protected: true, ProtectedSince: &old}, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlanner(now, hourly)
			c.volume.Unknown = true
			c.volume.ID, c.volume.ProjectID, c.record.State = "v", "p", backup.Available
			p.decide(&c.volume, []backup.Record{c.record})
			require.Equal(t, 1, p.protections[c.want], "%v", p.protections)
			require.Equal(t, c.volume.Protected, p.wanted == 1, "what a plan cannot see keeps its protection in the log, too")
		})
	}
}
