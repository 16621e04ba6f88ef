package db

import (
	"strings"

	"staffeln/backup"
)

// This file has all SQL conditions on the state of a record; package backup defines what a state means. The columns are not
// qualified, because no other table has them, so a condition refers to the innermost `records` in scope. Partial indexes
// repeat some of the conditions, and a test compares them.

// Conditions on a single state.
const (
	isPlanned   = `state = '` + string(backup.Planned) + `'`
	isCreating  = `state = '` + string(backup.Creating) + `'`
	isAvailable = `state = '` + string(backup.Available) + `'`
	isDeleted   = `state = '` + string(backup.Deleted) + `'`
	isFailed    = `state = '` + string(backup.Failed) + `'`
	isLost      = `state = '` + string(backup.Lost) + `'`
)

// Conditions on the meaning of a state.
var (
	isInProgress = stateIn(backup.State.InProgress)
	isUnfinished = stateIn(backup.State.Unfinished)
	isInCinder   = stateIn(backup.State.InCinder)
	isRemoving   = stateIn(backup.State.Removing)
	isStuck      = stateIn(backup.State.Stuck)
	isAttempted  = stateIn(backup.State.Attempted)
	isPast       = stateIn(backup.State.Past)
	isGone       = stateIn(backup.State.Gone)
)

// Conditions that need more than the state.
const (
	isWaiting             = isPlanned + ` AND admitted_at IS NULL` // for admission
	isAdmitted            = isPlanned + ` AND admitted_at IS NOT NULL`
	isRestorePoint        = isAvailable + ` AND cinder_status <> 'error'`
	isLeftover            = `(` + isFailed + ` AND backup_id IS NOT NULL)` // see [backup.Record.Leftover]
	isFailedWithoutBackup = `(` + isFailed + ` AND backup_id IS NULL)`     // Cinder has nothing of it
	// hasForeignDependent holds for a restore point on which a foreign backup builds.
	hasForeignDependent = isAvailable + ` AND removal_reason = '` + string(backup.ForeignDependent) + `'`
	// isFailure holds for an attempt that failed and of which Cinder has nothing, or no longer has anything.
	isFailure = `available_at IS NULL AND (` + isDeleted + ` OR ` + isFailedWithoutBackup + `)`
	// Failures by what they mean for the next attempt, which each has an index of its own.
	isVolumeStatusFailure = isFailure + ` AND reason = '` + string(backup.VolumeStatus) + `'`
	isIncrementalFailure  = isFailure + ` AND kind = 'incremental' AND reason = '` + string(backup.BackupError) + `'`
	isOtherFailure        = isFailure + ` AND reason <> '` + string(backup.VolumeStatus) + `' AND NOT (kind = 'incremental' AND reason = '` + string(backup.BackupError) + `')`
)

var (
	hasWork       = `(` + isUnfinished + ` OR ` + isLeftover + `)`
	needsRemoval  = `(` + isRemoving + ` OR ` + isLeftover + `)`
	hasBackup     = `(` + isInCinder + ` OR ` + isLeftover + `)`
	mayBeInCinder = `(` + stateIn(backup.State.MayBeInCinder) + ` OR ` + isLeftover + `)`
	// isLeftoverRemoval holds for a backup that never became a restore point and is being removed, or is to be removed.
	isLeftoverRemoval = `available_at IS NULL AND ` + needsRemoval
	// wasMade holds for a backup that became a restore point and may still be in Cinder.
	wasMade = stateIn(func(s backup.State) bool { return s.MayBeInCinder() && !s.InProgress() }) + ` AND available_at IS NOT NULL`

	// isFailedAttempt holds for an attempt that ended without a restore point, see [backup.Record.FailedAttempt].
	isFailedAttempt = `available_at IS NULL AND ` + isAttempted
	// shownState is the state that people are shown, see [backup.Record.Outcome].
	shownState = `CASE WHEN ` + isFailedAttempt + ` THEN '` + string(backup.Failed) + `' ELSE state END`

	isLink            = `backup_id IS NOT NULL AND ` + stateIn(backup.State.Linked)
	isHead            = `backup_id IS NOT NULL AND kind = 'full' AND ` + stateIn(backup.State.BeginsChain)
	isUnsettledLink   = `backup_id IS NOT NULL AND ` + stateIn(func(s backup.State) bool { return s.Linked() && !s.AtRest() }) // being created or removed, or ended in error
	isWithoutBackupID = isInProgress + ` AND backup_id IS NULL`                                                                // Cinder has given it no ID yet

	isUnreported        = `report_id IS NULL AND ended_at IS NOT NULL AND state <> '` + string(backup.Withdrawn) + `'`
	isUnreportedRemoval = `removal_report_id IS NULL AND ` + isGone + ` AND available_at IS NOT NULL`
)

// took is how long Cinder worked on a backup, see [backup.Record.Took]; null: not known.
const took = `(finished_at - started_at)`

// stateIn returns the SQL condition for all states for which holds returns true.
func stateIn(holds func(backup.State) bool) string {
	var names []string
	for _, s := range backup.States {
		if holds(s) {
			names = append(names, `'`+string(s)+`'`)
		}
	}
	return `state IN (` + strings.Join(names, `, `) + `)`
}
