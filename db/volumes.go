package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"staffeln/backup"
)

// A Volume is the stored state of one volume. It is kept after the volume is gone, with the retention that was in force.
type Volume struct {
	ID, Name                 string
	ProjectID, ProjectName   string
	ServerID, ServerName     string // the protecting server, or the last one
	AttachedID, AttachedName string // the server that it is attached to, also one that does not ask for backups; empty: none
	Zone, Status             string
	SizeGiB                  int
	Encrypted                bool
	Protected                bool
	ProtectedSince           *time.Time           // the first of the consecutive plans that saw it protected in its project; nil: not protected
	Retention                backup.Retention     `db:"-"`
	SeenAt                   time.Time            // the newest plan that saw it; the newest plan of all unless the volume is unknown or gone
	Unknown                  bool                 // the newest plan could not find out whether it exists or is protected
	TransferredAt            *time.Time           // when it was transferred from another project, which may still own restore points of it
	Ends                     map[string]time.Time // by project, when its protection there ended; only set if read for a decision on retention
	Migration                string               // Cinder's migration status during a migration; otherwise empty
	DetachedPlans            int                  // consecutive plans that saw it detached from the server that protects it
	GoneAt                   *time.Time
	Action                   backup.Action // of the newest decision
	Reason                   backup.Reason
	DecidedAt, DecisionUntil *time.Time
	RemovalDueAt, LeaseUntil *time.Time
	RemovalFailures          int           // consecutive tries with failures that only waiting can fix
	RemovalNextTryAt         *time.Time    // no removal is tried earlier
	Usual                    time.Duration // how long a backup of it usually takes; 0: not known
}

// AsOf returns the volume as it was in the cloud at SeenAt.
func (v Volume) AsOf() backup.Volume {
	return backup.Volume{
		ID: v.ID, Name: v.Name, ProjectID: v.ProjectID, Status: v.Status, Zone: v.Zone, SizeGiB: v.SizeGiB, Encrypted: v.Encrypted,
		Migration: v.Migration,
	}
}

// Subject returns the volume as the subject of a decision.
func (v Volume) Subject(paused Pauses) backup.Subject {
	pause := paused.Of(v.ProjectID)
	return backup.Subject{
		Volume: v.AsOf(), Protected: v.Protected, Gone: v.GoneAt != nil, Paused: pause != nil && !pause.DryRun(),
		ProjectGone: v.Reason == backup.ProjectGone, // by the newest decision
	}
}

// Guard returns the rules that protect the volume's newest restore points from removal.
func (v Volume) Guard(set backup.Settings) backup.Guard {
	return backup.Guard{
		ProjectID: v.ProjectID, Protected: v.Protected, Ends: v.Ends, Grace: set.ProtectionGrace.Std(), Floor: set.MinRestorePoints,
	}
}

// withEnds is volumeColumns and the times at which the volume's protection ended, by project.
const withEnds = volumeColumns + `, (SELECT jsonb_object_agg(e.project_id, e.ended_at) FROM protection_ends e WHERE e.volume_id = id) AS ends`

const volumeColumns = `id, name, project_id, project_name, server_id, server_name, attached_id, attached_name, availability_zone AS zone, status, size_gib, encrypted, protected,
	retention AS retained_for, coalesce(retention_source, '') AS retention_source, shorter_retention, shorter_retention_since, shorter_retention_seen, shorter_retention_seen_at,
	CASE WHEN unknown OR gone_at IS NOT NULL THEN seen_at ELSE greatest(seen_at, (SELECT planned_at FROM leadership)) END AS seen_at,
	detached_plans, gone_at, action, reason, decided_at, decision_until, protected_since, removal_due_at, lease_until, removal_failures, removal_next_try_at,
	unknown, transferred_at, migration_status AS migration, coalesce(usual_duration, '0') AS usual`

type volumeRow struct {
	Volume
	RetainedFor            pgtype.Interval
	RetentionSource        backup.RetentionSource
	ShorterRetention       pgtype.Interval
	ShorterRetentionSince  *time.Time
	ShorterRetentionSeen   time.Duration
	ShorterRetentionSeenAt *time.Time
}

func toVolume(row pgx.CollectableRow) (Volume, error) {
	r, err := pgx.RowToStructByNameLax[volumeRow](row)
	if err != nil {
		return r.Volume, err
	}
	r.Retention = backup.Retention{Owner: r.ProjectID, Since: r.TransferredAt, InForce: fromInterval(r.RetainedFor), Source: r.RetentionSource}
	if r.ShorterRetention.Valid {
		p := fromInterval(r.ShorterRetention)
		r.Retention.Shorter, r.Retention.ShorterSince, r.Retention.ShorterSeen = &p, r.ShorterRetentionSince.UTC(), r.ShorterRetentionSeen
		if r.ShorterRetentionSeenAt != nil {
			r.Retention.ShorterSeenAt = r.ShorterRetentionSeenAt.UTC()
		}
	}
	for project, at := range r.Ends {
		r.Ends[project] = at.UTC()
	}
	return r.Volume, nil
}

// Volumes returns the stored state of all volumes that are not gone, by ID. For 100,000 volumes that is about 60 MiB: a plan
// needs all of them at once.
func (b *Run) Volumes(ctx context.Context) (map[string]Volume, error) {
	return b.volumes(ctx, `gone_at IS NULL`)
}

// GoneVolumes returns those of the volumes with these IDs that are gone.
func (b *Run) GoneVolumes(ctx context.Context, ids []string) (map[string]Volume, error) {
	return b.volumes(ctx, `gone_at IS NOT NULL AND id = ANY($1)`, ids)
}

func (b *Run) volumes(ctx context.Context, where string, args ...any) (map[string]Volume, error) {
	rows, err := b.db.pool.Query(ctx, `SELECT `+volumeColumns+` FROM volumes WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read volumes: %w", err)
	}
	defer rows.Close()
	all := map[string]Volume{}
	for rows.Next() {
		v, err := toVolume(rows)
		if err != nil {
			return nil, fmt.Errorf("read volumes: %w", err)
		}
		all[v.ID] = v
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read volumes: %w", err)
	}
	return all, nil
}

// batch is the number of rows that one statement writes: enough to make the round trip cheap, few enough to keep locks short.
const batch = 2000

// StoreVolumes writes the newest state of these volumes: the inventory, the retention in force, the decision, and the ends of
// protection. It deletes the ends of volumes that are protected again. It does not change leases.
func (b *Run) StoreVolumes(ctx context.Context, volumes []Volume, ends []ProtectionEnd) error {
	const q = `
		INSERT INTO volumes (id, name, project_id, project_name, server_id, server_name, availability_zone, status, size_gib, encrypted,
			protected, retention, retention_source, shorter_retention, shorter_retention_since, seen_at, detached_plans, gone_at, action, reason, decided_at, decision_until, protected_since,
			unknown, transferred_at, migration_status, shorter_retention_seen, shorter_retention_seen_at, attached_id, attached_name)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int[], $10::bool[],
			$11::bool[], $12::interval[], $13::text[], $14::interval[], $15::timestamptz[], $16::timestamptz[], $17::int[], $18::timestamptz[],
			$19::text[], $20::text[], $21::timestamptz[], $22::timestamptz[], $23::timestamptz[],
			$24::bool[], $25::timestamptz[], $26::text[], $27::interval[], $28::timestamptz[], $29::text[], $30::text[])
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, project_id = excluded.project_id, project_name = excluded.project_name,
			server_id = excluded.server_id, server_name = excluded.server_name, availability_zone = excluded.availability_zone, status = excluded.status,
			size_gib = excluded.size_gib, encrypted = excluded.encrypted, protected = excluded.protected, retention = excluded.retention,
			retention_source = excluded.retention_source, shorter_retention = excluded.shorter_retention, shorter_retention_since = excluded.shorter_retention_since,
			seen_at = excluded.seen_at, detached_plans = excluded.detached_plans, gone_at = excluded.gone_at, action = excluded.action,
			reason = excluded.reason, decided_at = excluded.decided_at, decision_until = excluded.decision_until,
			protected_since = excluded.protected_since, unknown = excluded.unknown, transferred_at = excluded.transferred_at,
			migration_status = excluded.migration_status, shorter_retention_seen = excluded.shorter_retention_seen, shorter_retention_seen_at = excluded.shorter_retention_seen_at,
			attached_id = excluded.attached_id, attached_name = excluded.attached_name`
	of := map[string][]ProtectionEnd{}
	for _, e := range ends {
		of[e.VolumeID] = append(of[e.VolumeID], e)
	}
	for part := range chunks(volumes) {
		ids, ended := make([]string, 0, len(part)), []ProtectionEnd(nil)
		c := newColumns(30, len(part))
		for _, v := range part {
			ids, ended = append(ids, v.ID), append(ended, of[v.ID]...)
			var retention, shorter *pgtype.Interval
			if !v.Retention.InForce.IsZero() {
				retention = new(toInterval(v.Retention.InForce))
			}
			var since, seen *time.Time
			if v.Retention.Shorter != nil {
				shorter, since = new(toInterval(*v.Retention.Shorter)), &v.Retention.ShorterSince
				seen = nullable(v.Retention.ShorterSeenAt)
			}
			c.add(v.ID, v.Name, v.ProjectID, v.ProjectName, v.ServerID, v.ServerName, v.Zone, v.Status, v.SizeGiB, v.Encrypted,
				v.Protected, retention, nullable(string(v.Retention.Source)), shorter, since, v.SeenAt, v.DetachedPlans, v.GoneAt,
				string(v.Action), string(v.Reason), v.DecidedAt, v.DecisionUntil, v.ProtectedSince,
				v.Unknown, v.TransferredAt, v.Migration, v.Retention.ShorterSeen, seen, v.AttachedID, v.AttachedName)
		}
		err := b.inTerm(ctx, func(tx pgx.Tx) error {
			if err := keepFormerRetention(ctx, tx, part); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, q, c.args()...); err != nil {
				return err
			}
			return endProtection(ctx, tx, ids, ended)
		})
		if err != nil {
			return fmt.Errorf("remember %d volumes: %w", len(part), err)
		}
	}
	return nil
}
