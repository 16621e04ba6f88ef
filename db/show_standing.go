package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// The ways in which a volume stands, in the words of the metrics.
const (
	Protected   = "protected"   // its newest restore point is young enough
	Late        = "late"        // it is past the RPO
	Waiting     = "waiting"     // protected, without a restore point so far
	Unprotected = "unprotected" // no server of its asks for backups
	Unknown     = "unknown"     // the newest plan did not see enough to tell
	Gone        = "gone"        // the volume is no more
)

// Standings lists them as people read them.
var Standings = []string{Protected, Late, Waiting, Unprotected, Unknown, Gone}

// A Standing is how one volume stands now.
type Standing struct {
	ID, Name               string
	ProjectID, ProjectName string
	ServerID, ServerName   string
	SizeGiB                int
	Reason                 backup.Reason // of the newest decision; [backup.NotSeen] where the newest plan made none
	NewestAt               *time.Time    // data timestamp of the newest restore point
	ProtectedSince         *time.Time    // in its project; nil: it is not
	Standing               string        // one of [Standings]
}

// standing is each volume and how it stands: a plan that can tell nothing of a
// volume leaves the decision before as it was, with its time. One that is past
// the RPO is late all the same: a cloud that is away must not end an alarm.
// Restore points of a project that owned it before are not its owner's.
const standing = `(
	SELECT v.id, v.name, v.project_id, v.project_name, v.server_id, v.server_name, v.size_gib,
		CASE WHEN unseen AND v.gone_at IS NULL THEN 'not_seen' ELSE v.reason END AS reason, newest_at, v.protected_since, CASE
		WHEN v.gone_at IS NOT NULL THEN 'gone'
		WHEN v.protected AND newest_at < $1 THEN 'late'
		WHEN unseen THEN 'unknown'
		WHEN NOT v.protected THEN 'unprotected'
		WHEN newest_at IS NULL THEN 'waiting'
		ELSE 'protected' END AS standing
	FROM volumes v CROSS JOIN leadership l CROSS JOIN LATERAL (SELECT v.decided_at IS NULL OR v.decided_at < l.planned_beat AS unseen) seen CROSS JOIN LATERAL (
		SELECT max(data_timestamp) AS newest_at FROM records WHERE volume_id = v.id AND project_id = v.project_id AND state = 'available') newest) standing`

// Counts returns how many volumes stand in each way; late is the age beyond
// which one is late.
func (l *Look) Counts(ctx context.Context, late time.Duration) (map[string]int, error) {
	rows, err := l.tx.Query(ctx, `SELECT standing, count(*)::int AS volumes FROM `+standing+` GROUP BY standing`, l.Now.Add(-late))
	if err != nil {
		return nil, fmt.Errorf("count volumes: %w", err)
	}
	counts := map[string]int{}
	var way string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&way, &n}, func() error { counts[way] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count volumes: %w", err)
	}
	return counts, nil
}

// Standing returns the volumes that stand in one of the given ways, those
// without a restore point first, then by its age.
func (l *Look) Standing(ctx context.Context, late time.Duration, ways ...string) ([]Standing, error) {
	return l.standings(ctx, `SELECT * FROM `+standing+` WHERE standing = ANY($2) ORDER BY newest_at NULLS FIRST, project_name, name, id`, l.Now.Add(-late), ways)
}

// StandingOf returns how one volume stands.
func (l *Look) StandingOf(ctx context.Context, late time.Duration, volumeID string) (Standing, error) {
	found, err := l.standings(ctx, `SELECT * FROM `+standing+` WHERE id = $2`, l.Now.Add(-late), volumeID)
	if err != nil {
		return Standing{}, err
	}
	if len(found) == 0 {
		return Standing{}, ErrUnknownVolume
	}
	return found[0], nil
}

func (l *Look) standings(ctx context.Context, q string, args ...any) ([]Standing, error) {
	rows, err := l.tx.Query(ctx, q, args...)
	if err != nil {
		return nil, fmt.Errorf("read how volumes stand: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Standing])
	if err != nil {
		return nil, fmt.Errorf("read how volumes stand: %w", err)
	}
	return found, nil
}
