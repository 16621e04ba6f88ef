package view

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
)

// Each thing that a backup in progress waits for has its own code. What does not work in Staffeln itself comes first.
func TestWaitsOfBackupInProgress(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	planned := func(held backup.Held) backup.Record {
		return backup.Record{State: backup.Planned, Kind: backup.Full, ChangedAt: at, Zone: "az", Held: held}
	}
	admitted := planned("")
	admitted.AdmittedAt = &at
	creating := backup.Record{State: backup.Creating, BackupID: "b", RequestedAt: &at, Deadline: &at}
	unnamed := backup.Record{State: backup.Creating, RequestedAt: &at, Deadline: &at}
	for name, c := range map[string]struct {
		stopped backup.WaitCode
		record  backup.Record
		want    []backup.WaitCode
		words   string // of the first wait, for an operator
	}{
		"not dispatched yet":       {"", planned(""), []backup.WaitCode{"dispatch"}, "every 30s"},
		"total cap":                {"", planned(backup.HeldByTotal), []backup.WaitCode{"cap"}, "STAFFELN_MAX_BACKUPS_IN_PROGRESS)"},
		"cap of the project":       {"", planned(backup.HeldByProject), []backup.WaitCode{"cap"}, "STAFFELN_MAX_BACKUPS_IN_PROGRESS_PER_PROJECT)"},
		"cap of the zone":          {"", planned(backup.HeldByZone), []backup.WaitCode{"cap"}, "STAFFELN_MAX_BACKUPS_IN_PROGRESS_PER_ZONE)"},
		"cap on forced fulls":      {"", planned(backup.HeldByForcedFulls), []backup.WaitCode{"cap"}, "STAFFELN_MAX_FORCED_FULLS)"},
		"no service":               {"", planned(backup.Held(backup.WhileOutage)), []backup.WaitCode{"no_service"}, "in availability zone az"},
		"throttled":                {"", planned(backup.Held(backup.WhileThrottle)), []backup.WaitCode{"throttled"}, "asks for fewer requests"},
		"Cinder away":              {"", planned(backup.Held(backup.WhileAway)), []backup.WaitCode{"throttled"}, "no response"},
		"most backups fail":        {"", planned(backup.Held(backup.WhileFailing)), []backup.WaitCode{"throttled"}, "most backups fail"},
		"after a pause":            {"", planned(backup.HeldByPause), []backup.WaitCode{"paused"}, "after the end of a pause"},
		"a worker takes it":        {"", admitted, []backup.WaitCode{"worker"}, "A worker, to ask Cinder"},
		"Cinder makes it":          {"", creating, []backup.WaitCode{"cinder"}, "Cinder, to finish backup b"},
		"asked again":              {"", unnamed, []backup.WaitCode{"retry"}, "Another attempt"},
		"no scheduler, a cap":      {backup.WaitScheduler, planned(backup.HeldByTotal), []backup.WaitCode{"scheduler"}, "`staffeln scheduler`"},
		"no scheduler, admitted":   {backup.WaitScheduler, admitted, []backup.WaitCode{"scheduler"}, "`staffeln scheduler`"},
		"no scheduler, creating":   {backup.WaitScheduler, creating, []backup.WaitCode{"scheduler", "cinder"}, "`staffeln scheduler`"},
		"no queue, a cap":          {backup.WaitQueue, planned(backup.HeldByTotal), []backup.WaitCode{"cap"}, "limit"},
		"no queue, admitted":       {backup.WaitQueue, admitted, []backup.WaitCode{"queue"}, "STAFFELN_REDIS_URL"},
		"no queue, creating":       {backup.WaitQueue, creating, []backup.WaitCode{"queue", "cinder"}, "STAFFELN_REDIS_URL"},
		"no worker, admitted":      {backup.WaitWorker, admitted, []backup.WaitCode{"worker"}, "`staffeln worker`"},
		"no worker, creating":      {backup.WaitWorker, creating, []backup.WaitCode{"worker", "cinder"}, "`staffeln worker`"},
		"no worker, asked again":   {backup.WaitWorker, unnamed, []backup.WaitCode{"worker", "retry"}, "`staffeln worker`"},
		"no worker, no service up": {backup.WaitWorker, planned(backup.Held(backup.WhileOutage)), []backup.WaitCode{"no_service"}, "availability zone az"},
	} {
		t.Run(name, func(t *testing.T) {
			set := backup.Settings{PollPeriod: backup.Duration(30 * time.Second)}
			waits := Reader{Settings: set}.progress(AsOf{At: at, stopped: c.stopped}, c.record)
			assert.Equal(t, c.want, Each(waits, func(w Wait) backup.WaitCode { return w.For }))
			assert.Contains(t, waits[0].Words, c.words)
			tenant := Reader{Settings: set, Project: "p"}.progress(AsOf{At: at, stopped: c.stopped, tenant: true}, c.record)
			assert.Equal(t, Each(c.want, func(code backup.WaitCode) backup.WaitCode {
				if code == c.stopped {
					return backup.WaitOperator
				}
				return code
			}), Each(tenant, func(w Wait) backup.WaitCode { return w.For }))
			assert.NotContains(t, tenant[0].Words, "STAFFELN_")
			assert.NotContains(t, tenant[0].Words, "`staffeln ")
			e := Explanation{AsOf: AsOf{stopped: c.stopped}, VolumeProtection: VolumeProtection{Protection: backup.Late}, Now: Next{Reason: ReasonOf(backup.BackupInProgress)}, progress: &c.record}
			assert.NotEmpty(t, e.Because())
		})
	}
}

// The first warning names the part of Staffeln that does not work.
func TestWarningsNameThePartThatDoesNotWork(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	process := func(kind string, silent time.Duration) db.Heartbeat {
		return db.Heartbeat{Kind: kind, Name: "host/1", SeenAt: now.Add(-silent)}
	}
	for name, c := range map[string]struct {
		leads     bool
		queue     backup.Reason
		processes []db.Heartbeat
		want      string
	}{
		"all work":                        {true, "", []db.Heartbeat{process("worker", 59*time.Second)}, ""},
		"no heartbeat is known":           {true, "", []db.Heartbeat{process("scheduler", time.Second)}, ""},
		"one worker of two is dead":       {true, "", []db.Heartbeat{process("worker", time.Hour), process("worker", time.Second)}, ""},
		"all workers are dead":            {true, "", []db.Heartbeat{process("worker", time.Minute), process("scheduler", time.Second)}, "no_worker"},
		"the leader found no worker":      {true, backup.NoWorker, nil, "no_worker"},
		"the leader does not reach Redis": {true, backup.QueueUnreachable, []db.Heartbeat{process("worker", time.Hour)}, "queue_unreachable"},
		"nobody leads":                    {false, "", nil, "no_leader"},
		"nobody leads, an older finding":  {false, backup.QueueUnreachable, nil, "no_leader"},
		"nobody leads, the workers died":  {false, "", []db.Heartbeat{process("worker", time.Hour)}, "no_leader"},
	} {
		t.Run(name, func(t *testing.T) {
			leader := db.Leader{Leads: c.leads, Queue: c.queue, Since: &now}
			set := backup.Settings{BackupServicePeriod: 3600e9, PollPeriod: 3600e9, RetentionServicePeriod: 3600e9, ReconcilePeriod: 3600e9}
			_, warnings := Leading(now, leader, processesOf(now, c.processes), set)
			if c.want == "" {
				require.Empty(t, warnings)
				return
			}
			require.Len(t, warnings, 1)
			require.Equal(t, c.want, warnings[0].Code)
		})
	}
}
