package evidence

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/internal/invariants"
)

// line is a line of a report, with the fields that are checked.
type line struct {
	VolumeID string `json:"volume_id"`
	BackupID string `json:"backup_id"`
	Record   string `json:"record"`

	At time.Time `json:"at"` // time of the failure
}

// Reports returns the lines of all delivered reports.
func Reports(ctx context.Context, from Tables) (all []invariants.ReportLine, err error) {
	const q = `SELECT group_id, created_at, content FROM reports WHERE kind = 'report' AND delivered_at IS NOT NULL AND content IS NOT NULL ORDER BY created_at`
	rows, err := from.Query(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	var (
		group   string
		at      time.Time
		content []byte
	)
	_, err = pgx.ForEachRow(rows, []any{&group, &at, &content}, func() error {
		var sent struct {
			Projects []struct {
				ID                      string
				Succeeded, Failed, Late []line
				Removed                 []struct {
					line
					Backups []string `json:"backup_ids"`
				}
			}
		}
		if err := json.Unmarshal(content, &sent); err != nil {
			return err
		}
		recipient := group
		if group == "all" {
			recipient = "" // the operator
		}
		for _, p := range sent.Projects {
			for what, lines := range map[invariants.ReportedAs][]line{
				invariants.ReportedSucceeded: p.Succeeded, invariants.ReportedFailed: p.Failed, invariants.ReportedLate: p.Late,
			} {
				for _, l := range lines {
					all = append(all, invariants.ReportLine{At: at, Of: l.At, Project: recipient, Volume: l.VolumeID, Backup: l.BackupID, Record: l.Record, What: what})
				}
			}
			for _, l := range p.Removed {
				for _, id := range l.Backups {
					all = append(all, invariants.ReportLine{At: at, Project: recipient, Volume: l.VolumeID, Backup: id, What: invariants.ReportedRemoved})
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	return all, nil
}
