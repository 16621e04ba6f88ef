package scheduler

import (
	"context"
	"math"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
)

// quotasPerPlan is how many projects whose quota was full one plan asks about, in
// turn: users raise a quota or remove backups of their own, and should not wait for
// hours then. A plan can spare few requests.
const quotasPerPlan = 2

// freeQuota returns, by project, how many GiB are free in a quota that was full
// lately. It covers only the projects that this plan asked about.
func (s *Scheduler) freeQuota(ctx context.Context, b *db.Run) (map[string]int, error) {
	full, err := b.QuotasFull(ctx)
	if err != nil {
		return nil, err
	}
	freeGiB := map[string]int{}
	for i := range min(quotasPerPlan, len(full)) {
		id := full[(s.quotaTurn+i)%len(full)]
		backups, gigabytes, err := s.Cloud.BackupQuota(ctx, id)
		if err != nil {
			zerolog.Ctx(ctx).Debug().Err(err).EmbedObject(telemetry.IDs{ProjectID: id}).Msg("quota not read, will be tried again")
			continue
		}
		if err := s.DB.RecordQuota(ctx, id, backups, gigabytes); err != nil {
			return nil, err
		}
		if free(backups) > 0 {
			freeGiB[id] = free(gigabytes)
		}
	}
	s.quotaTurn += quotasPerPlan
	return freeGiB, nil
}

// free returns how much of a quota is left.
func free(q backup.Quota) int {
	if q.Limit < 0 {
		return math.MaxInt
	}
	return q.Limit - q.InUse - q.Reserved
}
