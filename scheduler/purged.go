package scheduler

import (
	"context"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// projectsPerRun bounds how many projects one run asks Keystone about by ID.
const projectsPerRun = 300

// purged returns which of the projects Keystone no longer knows, asked by ID. A
// project without an answer is not in the result.
func (s *Scheduler) purged(ctx context.Context, ids []string) map[string]bool {
	gone, all := map[string]bool{}, true
	for _, id := range ids[:min(len(ids), projectsPerRun)] {
		is, err := s.Cloud.ProjectGone(ctx, id)
		if err != nil {
			all = false
			s.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, "purged", "").Err(err).Str("project_id", id).Msg("project not checked, will be tried again")
			if backup.Means(err, backup.MeansUnauthorised) || backup.Means(err, backup.MeansForbidden) {
				return gone
			}
			continue
		}
		gone[id] = is
	}
	if all && len(ids) > 0 {
		s.conditions.Over(zerolog.Ctx(ctx), "purged").Msg("projects checked again")
	}
	return gone
}

// closePurged ends the records of purged projects: Keystone no longer knows the
// project, and Cinder, asked by ID as admin, no longer knows the backup. No tenant
// is left who could have removed them, so these are no unconfirmed losses.
func (s *Scheduler) closePurged(ctx context.Context, b *db.Run) error {
	unseen, err := b.UnseenProjects(ctx)
	if err != nil || len(unseen) == 0 {
		return err
	}
	var ended []string
	gone := s.purged(ctx, unseen)
	for _, id := range unseen {
		if !gone[id] {
			continue
		}
		records, err := b.Unseen(ctx, id)
		if err != nil {
			return err
		}
		for _, r := range records {
			_, err := s.Cloud.AnyBackup(ctx, r.BackupID)
			switch {
			case err == nil:
				s.conditions.Over(zerolog.Ctx(ctx), "purged backups").Msg("backups of purged projects checked again")
			case backup.Means(err, backup.MeansNotFound):
				ended = append(ended, r.ID)
			default:
				s.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, "purged backups", "").Err(err).Str("record_id", r.ID).Str("project_id", id).Msg("backup of a purged project not checked, will be tried again")
			}
		}
	}
	if len(ended) == 0 {
		return nil
	}
	if err := s.Cloud.VerifyAdmin(ctx); err != nil { // a user who lost the admin role gets 404 for everything
		return err
	}
	return b.ClosePurged(ctx, ended)
}

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
			s.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, removedListed, "").Err(err).Str("backup_id", id).Str("project_id", listed[id].ProjectID).
				Msg("removed backup that Cinder lists not looked at, will be tried again")
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
