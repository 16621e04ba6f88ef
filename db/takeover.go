package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"staffeln/backup"
)

// TakeOver writes records of backups that another program made, and the volumes that no plan has seen yet. It writes all of them
// or, if it returns an error or is killed, none. It skips a backup that has a record, and a backup in progress of a volume with
// another one in progress. It returns the IDs of the backups that got a record.
//
// Only the outcome of a backup that is still being made is reported: the others ended before Staffeln knew them.
func (d *DB) TakeOver(ctx context.Context, volumes []Volume, records []backup.Record) (written []string, err error) {
	const addVolumes = `
		INSERT INTO volumes (id, name, project_id, project_name, server_id, server_name, attached_id, attached_name, availability_zone, status, migration_status,
			size_gib, encrypted, protected, protected_since, retention, retention_source, gone_at, seen_at)
		SELECT *, staffeln_now() FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
			$11::text[], $12::int[], $13::bool[], $14::bool[], $15::timestamptz[], $16::interval[], $17::text[], $18::timestamptz[])
		ON CONFLICT DO NOTHING`
	const addRecords = `
		INSERT INTO records (project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, size_gib, encrypted, state, kind,
			retention, planned_at, requested_at, last_requested_at, deadline, available_at, ended_at, backup_id, backup_name, cinder_status, data_timestamp, cinder_timestamp,
			reason, reason_text, changed_at, report_id, removal_report_id)
		SELECT project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, size_gib, encrypted, state, kind,
			retention, planned_at, requested_at, requested_at, deadline, available_at, ended_at, backup_id, backup_name, cinder_status, data_timestamp, cinder_timestamp,
			reason, reason_text, staffeln_now(), CASE WHEN ended_at IS NOT NULL THEN '' END, CASE WHEN n.` + isLost + ` THEN '' END
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[], $9::bool[], $10::text[], $11::text[],
			$12::interval[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[], $18::text[], $19::text[], $20::text[],
			$21::timestamptz[], $22::timestamptz[], $23::text[], $24::text[]) AS n (project_id, project_name, server_id, server_name, volume_id, volume_name,
			availability_zone, size_gib, encrypted, state, kind, retention, planned_at, requested_at, deadline, available_at, ended_at, backup_id, backup_name,
			cinder_status, data_timestamp, cinder_timestamp, reason, reason_text)
		ON CONFLICT DO NOTHING RETURNING backup_id`
	for _, r := range records {
		if !allowed("", r.State) {
			return nil, fmt.Errorf("take over backup %s: no record begins as %s", r.BackupID, r.State)
		}
	}
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		for part := range chunks(volumes) {
			if _, err := tx.Exec(ctx, addVolumes, takenVolumes(part).args()...); err != nil {
				return err
			}
		}
		for part := range chunks(records) {
			ids, err := collectIDs(tx.Query(ctx, addRecords, takenRecords(part).args()...))
			if err != nil {
				return err
			}
			written = append(written, ids...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("take over %d backups: nothing is written: %w", len(records), err)
	}
	d.countTaken(records, written)
	return written, nil
}

func takenVolumes(volumes []Volume) columns {
	c := newColumns(18, len(volumes))
	for _, v := range volumes {
		var retention *pgtype.Interval
		if !v.Retention.InForce.IsZero() {
			retention = new(toInterval(v.Retention.InForce))
		}
		c.add(v.ID, v.Name, v.ProjectID, v.ProjectName, v.ServerID, v.ServerName, v.AttachedID, v.AttachedName, v.Zone, v.Status, v.Migration,
			v.SizeGiB, v.Encrypted, v.Protected, v.ProtectedSince, retention, nullable(string(v.Retention.Source)), v.GoneAt)
	}
	return c
}

func takenRecords(records []backup.Record) columns {
	c := newColumns(24, len(records))
	for _, r := range records {
		c.add(r.ProjectID, r.ProjectName, r.ServerID, r.ServerName, r.VolumeID, r.VolumeName, r.Zone, r.SizeGiB, r.Encrypted, string(r.State), string(r.Kind),
			toInterval(r.Retention), r.PlannedAt, r.RequestedAt, r.Deadline, r.AvailableAt, r.EndedAt, r.BackupID, r.BackupName,
			r.CinderStatus, r.DataTimestamp, r.CinderTimestamp, string(r.Reason), backup.WithoutAddresses(r.ReasonText))
	}
	return c
}

// countTaken updates the metric of transitions by the records that were written.
func (d *DB) countTaken(records []backup.Record, written []string) {
	taken := make(map[string]bool, len(written))
	for _, id := range written {
		taken[id] = true
	}
	for _, r := range records {
		if taken[r.BackupID] {
			d.count("", r.State, r.Reason, 1)
		}
	}
}

// Recorded returns which of these backups have a record, and which of these volumes have a record in progress.
func (l *Snapshot) Recorded(ctx context.Context, backupIDs, volumeIDs []string) (backups, inProgress []string, err error) {
	ofVolumes := `SELECT volume_id FROM records WHERE volume_id = ANY($1) AND ` + isInProgress
	backups, err = collectIDs(l.tx.Query(ctx, `SELECT backup_id FROM records WHERE backup_id = ANY($1)`, backupIDs))
	if err == nil {
		inProgress, err = collectIDs(l.tx.Query(ctx, ofVolumes, volumeIDs))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read which of %d backups have a record: %w", len(backupIDs), err)
	}
	return backups, inProgress, nil
}
