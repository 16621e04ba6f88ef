package scheduler

import (
	"context"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
)

// reappeared finds removed backups that Cinder lists again, for example after a
// restore of its database. A list may lag, so each backup is read by ID. It returns
// the number of backups that could not be read.
func (s *Scheduler) reappeared(ctx context.Context, b *db.Run, page []backup.Backup) (unknown int, err error) {
	listed := make(map[string]backup.Backup, len(page))
	ids := make([]string, 0, len(page))
	for _, one := range page {
		if one.Status == backup.StatusAvailable || one.Status == backup.StatusError {
			listed[one.ID] = one
			ids = append(ids, one.ID)
		}
	}
	removed, err := b.Removed(ctx, ids)
	if err != nil {
		return 0, err
	}
	for _, id := range removed {
		is, err := s.Cloud.Backup(ctx, listed[id].ProjectID, id)
		switch {
		case backup.Means(err, backup.MeansNotFound):
		case err != nil:
			unknown++
			s.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, removedListed, "").Err(err).EmbedObject(telemetry.IDs{ProjectID: listed[id].ProjectID, BackupID: id}).
				Msg("removed backup that Cinder lists not checked, will be tried again")
		case is.Status == listed[id].Status:
			if err := b.Reappeared(ctx, id); err != nil {
				return unknown, err
			}
		}
	}
	return unknown, nil
}

// removedListed is the condition that removed backups that Cinder lists can't be
// read.
const removedListed = "removed backups listed"
