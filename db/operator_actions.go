package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// The manual actions in the audit table.
const (
	ActionBackupNow    = "backup-now"
	ActionCancel       = "cancel"
	ActionPause        = "pause"
	ActionResume       = "resume"
	ActionPurgeProject = "purge-project"
	ActionConfirmLost  = "confirm-lost"
	ActionImport       = "import"
)

// An OperatorAction is one manual action: a row of the audit table.
type OperatorAction struct {
	At        time.Time
	Who       string // user@host, as the operator's terminal reports it
	Action    string
	Object    string // ID of the volume, server or project; empty: all projects
	ProjectID string
	// The names that they had then.
	ObjectName, ProjectName string
	Intent                  string // a sentence about what was to be done
	Outcome                 string // the result; empty: it is unknown how far the action got
}

// RecordOperatorAction writes the audit row, runs the action, and then stores its outcome or its error. If the row cannot be written, the
// action is not run.
func (d *DB) RecordOperatorAction(ctx context.Context, i OperatorAction, do func() (outcome string, err error)) error {
	const intent = `INSERT INTO audit (at, who, action, object, project_id, object_name, project_name, intent) VALUES (staffeln_now(), $1, $2, $3, $4, $5, $6, $7) RETURNING id`
	const end = `UPDATE audit SET outcome = $2 WHERE id = $1`
	var id int64
	if err := d.pool.QueryRow(ctx, intent, storable(i.Who), i.Action, storable(i.Object), i.ProjectID, storable(i.ObjectName), storable(i.ProjectName), storable(i.Intent)).Scan(&id); err != nil {
		return fmt.Errorf("write audit line: nothing was done: %w", err)
	}
	outcome, err := do()
	if err != nil {
		outcome = "error: " + err.Error()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if _, writeErr := d.pool.Exec(ctx, end, id, storable(outcome)); writeErr != nil {
		err = errors.Join(err, fmt.Errorf("write outcome to audit line %d: %w", id, writeErr))
	}
	return err
}

// OperatorActions returns the newest rows of the audit table, newest first; limit 0 means all.
func (l *Snapshot) OperatorActions(ctx context.Context, limit int) ([]OperatorAction, error) {
	const q = `SELECT at, who, action, object, project_id, object_name, project_name, intent, outcome FROM audit ORDER BY at DESC, id DESC LIMIT nullif($1, 0)`
	rows, err := l.tx.Query(ctx, q, limit)
	if err != nil {
		return nil, fmt.Errorf("read audit table: %w", err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByName[OperatorAction])
	if err != nil {
		return nil, fmt.Errorf("read audit table: %w", err)
	}
	return lines, nil
}

// PlanManual writes one planned record that an operator requested. Like any other it waits for a slot under the caps. It
// returns [ErrStale] if a backup of the volume is in progress by now. Its log is the line of the audit table.
func (d *DB) PlanManual(ctx context.Context, r backup.Record) (id string, err error) {
	q := `
		INSERT INTO records (project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, size_gib, encrypted,
			state, kind, forced_full, manual, retention, planned_at, last_point_at, reason, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $16, $10, $11, true, $12, $13, $14, $15, staffeln_now())
		ON CONFLICT (volume_id) WHERE ` + isInProgress + ` DO NOTHING
		RETURNING id`
	err = d.pool.QueryRow(ctx, q, r.ProjectID, r.ProjectName, r.ServerID, r.ServerName, r.VolumeID, r.VolumeName, r.Zone, r.SizeGiB, r.Encrypted,
		r.Kind, r.ForcedFull, toInterval(r.Retention), r.PlannedAt, r.LastPointAt, r.Reason, backup.Planned).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrStale
	}
	if err != nil {
		return "", fmt.Errorf("plan backup of volume %s manually: %w", r.VolumeID, err)
	}
	d.count("", backup.Planned, r.Reason, 1)
	return id, nil
}
