package e2e

import (
	"net/http"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// states are the states that one process can be brought into. Those that need killed servers are in the faults folder.
func states() []state {
	return []state{
		{"no plan yet", nil, func(*stateEnvironment) {}, shown{doctor: "protection"}, true},
		{"all is well", nil, func(s *stateEnvironment) { s.backedUp() }, shown{status: "protected 1", explain: "protected"}, false},
		{"planned, not dispatched", nil, func(s *stateEnvironment) { s.Plan() }, shown{status: "dispatch", explain: "dispatch"}, true},
		{"total cap", capOf(func(set *backup.Settings) { set.MaxBackupsInProgress = 1 }), func(s *stateEnvironment) { s.second(s.Sim.AddProject("globex")) }, shown{"cap", "cap", "", `staffeln_backups_waiting reason=cap`}, false},
		{"cap of the project", capOf(func(set *backup.Settings) { set.MaxBackupsInProgressPerProject = 1 }), func(s *stateEnvironment) { s.second(s.project) }, shown{"cap", "cap", "", `staffeln_backups_waiting reason=cap`}, false},
		{"cap of the zone", capOf(func(set *backup.Settings) { set.MaxBackupsInProgressPerZone = 1 }), func(s *stateEnvironment) { s.second(s.Sim.AddProject("globex")) }, shown{"cap", "cap", "", `staffeln_backups_waiting reason=cap`}, false},
		{"no cinder-backup service", nil, func(s *stateEnvironment) { s.Sim.SetBackupService(false); s.RunDue() }, shown{"no_service", "no_service", "cloud", `staffeln_admission_throttled reason=no_service`}, false},
		{"project paused", nil, func(s *stateEnvironment) { s.Plan(); s.pause(s.project); s.Dispatch() }, shown{"paused", "paused", "scheduler", `staffeln_backups_waiting reason=paused`}, false},
		{"everything paused, due", nil, func(s *stateEnvironment) { s.backedUp(); s.pause(""); s.pastInterval(); s.RunDue() }, shown{"pause", "paused", "scheduler", `staffeln_pauses`}, false},
		{"dry run", func(set *backup.Settings, _ *cloudsim.Options) { set.DryRun = true }, func(s *stateEnvironment) { s.RunDue() }, shown{"pause", "paused", "scheduler", `staffeln_pauses`}, false},
		{"Cinder throttles", nil, func(s *stateEnvironment) {
			s.fault(http.MethodPost, "/backups", http.StatusTooManyRequests)
			s.RunDue()
			s.second(s.project)
		}, shown{"throttled", "throttled", "", `staffeln_admission_throttled reason=throttled`}, false},
		{"no scheduler, planned", nil, func(s *stateEnvironment) { s.Plan(); s.stopLeading() }, shown{"no_leader", "scheduler", "scheduler", ""}, true},
		{"no scheduler, due", nil, func(s *stateEnvironment) { s.backedUp(); s.pastInterval(); s.stopLeading() }, shown{"no_leader", "scheduler", "scheduler", ""}, true},
		{"no worker", nil, func(s *stateEnvironment) {
			s.StopWorker()
			s.Plan()
			require.NoError(s.T, s.Scheduler.Dispatch(s.Ctx, s.BeginRun()))
			s.Step(2 * time.Minute)
			require.NoError(s.T, s.Scheduler.Dispatch(s.Ctx, s.BeginRun()))
		}, shown{"no_worker", "worker", "queue", `staffeln_findings reason=no_worker`}, true},
		{"Redis away", nil, func(s *stateEnvironment) {
			s.loseQueue()
			s.Plan()
			s.dispatchFailing()
			s.Step(2 * time.Minute)
			s.dispatchFailing()
		}, shown{"queue_unreachable", "queue", "scheduler", `staffeln_findings reason=queue_unreachable`}, true},
		{"being made", slow, func(s *stateEnvironment) { s.RunDue(); s.Dispatch() }, shown{"creating", "cinder", "", `staffeln_records state=creating`}, false},
		{"overdue", slow, func(s *stateEnvironment) {
			s.RunDue()
			s.Sim.StickBackup(s.LastRecord(s.volume).BackupID)
			s.Step(s.Settings.BackupCycleTimeout.Std() + time.Hour)
			s.RunDue()
			s.Dispatch()
		}, shown{"deadline_passed", "cinder", "", `staffeln_records state=overdue`}, false},
		{"backup failed", slow, func(s *stateEnvironment) {
			s.RunDue()
			s.Sim.FailBackup(s.LastRecord(s.volume).BackupID, "disk full")
			s.Step(time.Minute)
			s.Dispatch()
			s.Dispatch()
		}, shown{"backup_error", "retry", "", ""}, false},
		{"quota used up", nil, func(s *stateEnvironment) { s.Sim.SetQuota(s.project, 0, -1); s.RunDue() }, shown{"quota_exceeded", "tenant", "projects", ""}, false},
		{"volume in error", nil, func(s *stateEnvironment) { s.Sim.SetVolumeStatus(s.volume, "error"); s.RunDue() }, shown{"volume_status", "tenant", "", ""}, false},
		{"volume migrates", nil, func(s *stateEnvironment) { s.backedUp(); s.pastInterval(); s.Sim.BeginMigration(s.volume); s.RunDue() }, shown{"", "volume", "", ""}, false},
		{"no role in the project", nil, func(s *stateEnvironment) {
			s.backedUp()
			s.setRole(s.project, false)
			s.pastInterval()
			s.RunDue()
			s.Step(time.Hour)
			s.RunDue()
		}, shown{"", "", "projects", ""}, false},
		{"late", nil, func(s *stateEnvironment) {
			s.backedUp()
			s.fault(http.MethodPost, "/backups", http.StatusServiceUnavailable)
			s.Step(s.Settings.RPO().Of(0) + time.Hour)
			s.RunDue()
		}, shown{"late 1", "late", "protection", `staffeln_volumes state=late`}, false},
		{"Nova away", nil, func(s *stateEnvironment) {
			s.backedUp()
			s.fault("", "/servers", http.StatusServiceUnavailable)
			s.Step(s.Settings.BackupServicePeriod.Std())
			s.Plan()
		}, shown{"unknown 1", "unknown", "cloud", `staffeln_volumes state=unknown`}, false},
		{"wish not readable", nil, func(s *stateEnvironment) {
			s.Sim.SetMetadata(s.server, s.Settings.BackupMetadataKey, "perhaps")
			s.RunDue()
		}, shown{"backup_metadata_unreadable", "", "", `staffeln_findings reason=backup_metadata_unreadable`}, false},
		{"unprotected", nil, func(s *stateEnvironment) {
			s.backedUp()
			s.Sim.DeleteMetadata(s.server, s.Settings.BackupMetadataKey)
			s.Step(s.Settings.BackupServicePeriod.Std())
			s.Plan()
		}, shown{"unprotected 1", "tenant", "", `staffeln_volumes state=unprotected`}, false},
		{"volume gone, backups kept", nil, func(s *stateEnvironment) {
			s.backedUp()
			s.Sim.Detach(s.server, s.volume)
			s.Sim.DeleteVolume(s.volume)
			for range 3 {
				s.Step(s.Settings.BackupServicePeriod.Std())
				s.Plan()
			}
		}, shown{"gone 1", "gone", "", `staffeln_volumes state=gone`}, false},
		{"removed by others", nil, func(s *stateEnvironment) {
			s.backedUp()
			s.Sim.RemoveBackup(s.LastRecord(s.volume).BackupID)
			for range 3 {
				s.Step(time.Hour)
				s.Reconcile()
			}
		}, shown{"removed_by_others", "", "", ""}, false},
		{"backup without a record", nil, func(s *stateEnvironment) {
			s.backedUp()
			s.Sim.AddBackup(cloudsim.NewBackup{Volume: s.volume, Metadata: backup.Tag{Installation: s.Scheduler.Identity.Installation, Record: "forgotten"}.Metadata()})
			for range 2 {
				s.Step(time.Hour)
				s.Reconcile()
			}
		}, shown{"orphan", "", "invariants", `staffeln_findings reason=orphan`}, false},
		{"being restored", nil, func(s *stateEnvironment) {
			s.backedUp()
			s.Sim.SetBackupStatus(s.LastRecord(s.volume).BackupID, "restoring")
			s.Reconcile()
			s.pastInterval()
			s.Plan()
		}, shown{"", "waits_for_parent", "", ""}, false},
		{"shorter retention announced", nil, func(s *stateEnvironment) {
			s.backedUp()
			s.Sim.SetMetadata(s.server, s.Settings.RetentionMetadataKey, "1h")
			s.Step(s.Settings.BackupServicePeriod.Std())
			s.Plan()
		}, shown{"retention_shortened", "", "", `staffeln_findings reason=retention_shortened`}, false},
		{"Cinder left the volume in error_backing-up", nil, func(s *stateEnvironment) { s.Sim.SetVolumeStatus(s.volume, "error_backing-up"); s.RunDue() }, shown{"volume_error_backing_up", "operator", "", ""}, false},
		{"server shelved", nil, func(s *stateEnvironment) { s.backedUp(); s.Sim.Shelve(s.server); s.pastInterval(); s.RunDue() }, shown{"protected 1", "volume", "", ""}, false},
		{"server deleted, volume kept", nil, func(s *stateEnvironment) {
			s.backedUp()
			s.Sim.DeleteServer(s.server)
			for range 3 {
				s.Step(s.Settings.BackupServicePeriod.Std())
				s.Plan()
			}
		}, shown{"unprotected 1", "protection_ended", "", `staffeln_findings reason=protection_ended`}, false},
		{"project deleted, server kept", nil, func(s *stateEnvironment) {
			s.backedUp()
			s.Sim.DeleteProject(s.project)
			for range 3 {
				s.Step(24 * time.Hour)
				s.Plan()
			}
		}, shown{"project_gone", "operator", "", `staffeln_findings reason=project_gone`}, false},
		{"retention not readable", nil, func(s *stateEnvironment) {
			s.Sim.SetMetadata(s.server, s.Settings.RetentionMetadataKey, "long")
			s.RunDue()
		}, shown{"retention_metadata_unreadable", "", "", `staffeln_findings reason=retention_metadata_unreadable`}, false},
		{"Cinder does not remove it", nil, func(s *stateEnvironment) {
			s.backedUp()
			s.Sim.DeleteServer(s.server)
			s.Sim.AddFault(cloudsim.Fault{Route: rig.DeleteRoute, Times: 1, Do: cloudsim.FailLater{Status: "error_deleting", Reason: "I/O error"}})
			s.Advance(40*day, 12*time.Hour)
		}, shown{"deletion_stuck", "", "", `staffeln_records state=undeletable`}, false},
		{"the backup's storage is away", nil, func(s *stateEnvironment) {
			s.Sim.BreakTarget("no space left")
			s.RunDue()
			s.Step(s.Settings.BackupServicePeriod.Std())
			s.Dispatch()
			s.Dispatch()
		}, shown{"backup_error", "retry", "", ""}, false},
		{"Cinder's clock is ahead", nil, func(s *stateEnvironment) {
			s.Sim.SetCinderSkew(400 * day)
			s.backedUp()
		}, shown{"cinder_clock", "protected", "", `staffeln_findings reason=cinder_clock`}, false},
		{"older dump of our database restored", nil, func(s *stateEnvironment) {
			s.backedUp()
			s.Exec(`DELETE FROM records`) // made before its first backup
			s.Reconcile()
			s.Plan()
		}, shown{"orphan", "orphan", "invariants", `staffeln_findings reason=orphan`}, false},
		{"password refused", nil, func(s *stateEnvironment) {
			s.backedUp()
			service := s.Sim.Cast().Service
			s.Sim.SetPassword(service, "another")
			s.Sim.RevokeTokens(service)
			s.Step(s.Settings.BackupServicePeriod.Std())
			require.Error(s.T, s.Scheduler.Plan(s.Ctx, s.BeginRun()))
		}, shown{"unauthorised", "", "cloud", `staffeln_findings reason=unauthorised`}, true},
		{"Nova's list is empty", nil, func(s *stateEnvironment) {
			s.backedUp()
			s.Sim.AddFault(cloudsim.Fault{Route: "GET /compute/v2.1/servers/detail", Do: cloudsim.Refuse{Status: http.StatusOK, Body: `{"servers": []}`}})
			for range 3 {
				s.Step(s.Settings.BackupServicePeriod.Std())
				s.Plan()
			}
		}, shown{"absences_unconfirmed", "protected", "", `staffeln_findings reason=absences_unconfirmed`}, false},
		{"secret of the backup gone", nil, func(s *stateEnvironment) {
			s.volume = s.protectEncrypted(s.project, 2)[0]
			s.backedUp()
			s.Sim.DeleteSecretOf(s.LastRecord(s.volume).BackupID)
			s.Reconcile()
		}, shown{"secret_gone", "secret_gone", "", `staffeln_findings reason=secret_gone`}, false},
		{"backup requested while its interval runs, paused", nil, func(s *stateEnvironment) {
			s.backedUp()
			out, code := rig.Output(s.T, s.settings(), "backup-now", s.volume)
			require.Zero(s.T, code, out)
			s.pause("")
			s.Dispatch()
		}, shown{"paused", "paused", "", `staffeln_backups_waiting reason=paused`}, false},
		{"runs are late", nil, func(s *stateEnvironment) { s.backedUp(); s.Step(s.Settings.ReconcilePeriod.Std() * 3) }, shown{"plan_late", "", "scheduler", ""}, true},
	}
}
