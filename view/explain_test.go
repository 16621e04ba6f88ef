package view

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
)

func TestExplainNamesWhoMustTakeAction(t *testing.T) {
	set := backup.Settings{BackupMetadataKey: "wish"}
	failed := func(r backup.Reason) *Failure { return &Failure{Reason: ReasonOf(r)} }
	for want, o := range map[string]struct {
		volume db.Volume
		view   Explanation
		set    backup.Settings
	}{
		"The tenant, if it is to be backed up: wish = true in the metadata of a server that it is attached to.": {set: set},
		"The tenant, if it is to be backed up, to attach it to a server.":                                       {},
		"The tenant, to fix the cause of the last failure (quota_exceeded).":                                    {db.Volume{Protected: true}, Explanation{Failure: failed(backup.QuotaExceeded)}, set},
		"The operator, to fix the cause of the last failure (no_role).":                                         {db.Volume{Protected: true}, Explanation{Failure: failed(backup.NoRole)}, set},
		`The tenant, to bring the volume from status "error" to available or in-use: the next plan that sees it so plans a backup.`: {
			db.Volume{Protected: true, Status: "error"}, Explanation{Status: "error", Failure: failed(backup.VolumeStatus)}, set,
		},
		`The operator, to reset the volume from status "error_backing-up" to what it was (openstack volume set --state in-use v1, or available if it is not attached): the next plan that sees it so plans a backup.`: {
			db.Volume{ID: "v1", Protected: true, Status: "error_backing-up"}, Explanation{Status: "error_backing-up", Failure: failed(backup.VolumeLeftInError)}, set,
		},
	} {
		wait, ok := o.view.requiredAction(o.set, o.volume)
		require.True(t, ok)
		require.Equal(t, want, wait.Words)
	}
	for what, o := range map[string]struct {
		volume db.Volume
		view   Explanation
	}{
		"gone":                  {db.Volume{GoneAt: new(time.Time)}, Explanation{}},
		"all is well":           {db.Volume{Protected: true}, Explanation{}},
		"it passes by itself":   {db.Volume{Protected: true}, Explanation{Failure: failed(backup.Throttled)}},
		"it was brought back":   {db.Volume{Protected: true, Status: "in-use"}, Explanation{Failure: failed(backup.VolumeStatus)}},
		"it is tried right now": {db.Volume{Protected: true}, Explanation{Failure: failed(backup.QuotaExceeded), progress: new(backup.Record)}},
		"it is being changed":   {db.Volume{Protected: true, Status: "retyping"}, Explanation{Failure: failed(backup.VolumeStatus), Now: Next{Reason: ReasonOf(backup.VolumeChanging)}}},
	} {
		_, ok := o.view.requiredAction(set, o.volume)
		require.False(t, ok, what)
	}
}

func TestExplainSaysWhyVolumeIsNotProtected(t *testing.T) {
	quota := &Failure{Reason: ReasonOf(backup.QuotaExceeded)}
	now := func(r backup.Reason) Next {
		return Next{Action: string(backup.Wait), Reason: ReasonOf(r)}
	}
	for want, v := range map[string]Explanation{
		"": {VolumeProtection: VolumeProtection{Protection: backup.Protected}, Failure: quota},
		"The project's backup quota is exhausted: remove backups or have it raised. (quota_exceeded) The tenant must take action.": {VolumeProtection: VolumeProtection{Protection: backup.Late}, Failure: quota, Now: now(backup.RetryLater)},
		"A backup of the volume is in progress. (backup_in_progress)":                                                              {VolumeProtection: VolumeProtection{Protection: backup.Late}, Failure: quota, Now: now(backup.BackupInProgress)},
		"The operator paused it: nothing new starts before `staffeln resume`. (paused) The operator must take action.":             {VolumeProtection: VolumeProtection{Protection: backup.Waiting}, Failure: quota, Now: now(backup.Paused)},
		"A backup is planned. It starts when a limit on running backups allows it.":                                                {VolumeProtection: VolumeProtection{Protection: backup.Waiting}, Now: now(backup.BackupInProgress), progress: &backup.Record{State: backup.Planned, Held: backup.HeldByProject}},
		"The backup in progress is overdue. The backup took longer than its deadline: check cinder-backup. (deadline_passed) The operator must take action.": {
			VolumeProtection: VolumeProtection{Protection: backup.Late}, Now: now(backup.BackupInProgress), progress: &backup.Record{State: backup.Overdue, Reason: backup.DeadlinePassed},
		},
		"A backup is due, and the next plan asks for it.":                                             {VolumeProtection: VolumeProtection{Protection: backup.Late}, Now: Next{Action: string(backup.Create), Reason: ReasonOf(backup.ChainContinues)}},
		"Not selected for backup: no server that it is attached to asks for backups. (not_protected)": {VolumeProtection: VolumeProtection{Protection: backup.Unprotected}, Failure: quota, Now: now(backup.NotProtected)},
	} {
		require.Equal(t, want, v.Because())
	}
}

func TestLastPoint(t *testing.T) {
	link := func(s backup.Status) backup.Link { return backup.Link{Status: s} }
	point, leftover := backup.Expiring{Link: link(backup.StatusAvailable)}, backup.Expiring{Link: link(backup.StatusError)}
	require.Equal(t, 1, LastPoint([]backup.Expiring{point, point, leftover}, nil))
	require.Equal(t, 0, LastPoint([]backup.Expiring{point}, []backup.Kept{{Link: link(backup.StatusErrorDeleting)}}))
	require.Equal(t, -1, LastPoint([]backup.Expiring{point}, []backup.Kept{{Link: link(backup.StatusAvailable)}}), "one is kept")
	require.Equal(t, -1, LastPoint([]backup.Expiring{leftover}, nil), "it was none")
	require.Equal(t, -1, LastPoint(nil, nil))
}
