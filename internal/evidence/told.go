package evidence

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/internal/invariants"
)

// told is a line of a report that was kept, as far as the laws look at it.
type told struct {
	VolumeID string `json:"volume_id"`
	BackupID string `json:"backup_id"`
	Record   string `json:"record"`

	At time.Time `json:"at"` // of a failure: when it ended
}

// Told tells what reports that somebody got said, in the words of the laws.
func Told(ctx context.Context, from Tables) (all []invariants.Told, err error) {
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
		var said struct {
			Projects []struct {
				ID                      string
				Succeeded, Failed, Late []told
				Removed                 []struct {
					told
					Backups []string `json:"backup_ids"`
				}
			}
		}
		if err := json.Unmarshal(content, &said); err != nil {
			return err
		}
		for _, p := range said.Projects {
			whom := group
			if group == "all" {
				whom = "" // the operator
			}
			for what, lines := range map[invariants.Tale][]told{invariants.ToldSucceeded: p.Succeeded, invariants.ToldFailed: p.Failed, invariants.ToldLate: p.Late} {
				for _, line := range lines {
					all = append(all, invariants.Told{At: at, Of: line.At, Project: whom, Volume: line.VolumeID, Backup: line.BackupID, Record: line.Record, What: what})
				}
			}
			for _, line := range p.Removed {
				for _, id := range line.Backups {
					all = append(all, invariants.Told{At: at, Project: whom, Volume: line.VolumeID, Backup: id, What: invariants.ToldRemoved})
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
