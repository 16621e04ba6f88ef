package rig

import (
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// Record is the part of a row of the table records that tests read.
type Record struct {
	ID, VolumeID, ProjectID                               string
	State                                                 backup.State
	Kind                                                  backup.Kind
	ForcedFull                                            bool
	BackupID                                              string
	Reason                                                backup.Reason
	ReasonText, RequestID                                 string
	RemovalReason                                         backup.Reason
	RemovalText                                           string
	Attempts                                              int
	RequestedAt, Deadline, NextTryAt, DeletionRequestedAt *time.Time
}

const recordColumns = `id, volume_id, project_id, state, kind, forced_full, coalesce(backup_id, '') AS backup_id, reason, reason_text, cloud_request_id AS request_id,
	removal_reason, removal_text, attempts, requested_at, deadline, next_try_at, deletion_requested_at`

// Records returns the records that match a condition, oldest first.
func (w *Environment) Records(where string, args ...any) []Record {
	w.T.Helper()
	rows, err := w.Pool.Query(w.Ctx, `SELECT `+recordColumns+` FROM records WHERE `+where+` ORDER BY planned_at, requested_at, id`, args...)
	require.NoError(w.T, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Record])
	require.NoError(w.T, err)
	return all
}

// RecordsOf returns the records of a volume, oldest first.
func (w *Environment) RecordsOf(volumeID string) []Record {
	w.T.Helper()
	return w.Records("volume_id = $1", volumeID)
}

// LastRecord returns the newest record of a volume.
func (w *Environment) LastRecord(volumeID string) Record {
	w.T.Helper()
	all := w.RecordsOf(volumeID)
	require.NotEmpty(w.T, all, "records of volume %s", volumeID)
	return all[len(all)-1]
}

// History returns the states of a volume's records, oldest first, with the reason of each failed or withdrawn one.
func (w *Environment) History(volumeID string) string {
	w.T.Helper()
	var words []string
	for _, r := range w.RecordsOf(volumeID) {
		word := string(r.State)
		if r.State == backup.Failed || r.State == backup.Withdrawn {
			word += ":" + string(r.Reason)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}
