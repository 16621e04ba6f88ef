package scheduler

import (
	"context"
	"maps"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
)

// projectsPerRun bounds how many projects one run asks Keystone about by ID.
const projectsPerRun = 300

// deletedProjects returns which of the projects Keystone no longer knows, asked by ID. A
// project without a response is not in the result.
func (s *Scheduler) deletedProjects(ctx context.Context, ids []string) map[string]bool {
	gone, all := map[string]bool{}, true
	for _, id := range ids[:min(len(ids), projectsPerRun)] {
		is, err := s.Cloud.ProjectGone(ctx, id)
		if err != nil {
			all = false
			s.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, "deleted projects", "").Err(err).EmbedObject(telemetry.IDs{ProjectID: id}).Msg("project not checked, will be tried again")
			if backup.Means(err, backup.MeansUnauthorised) || backup.Means(err, backup.MeansForbidden) || backup.Means(err, backup.MeansNotAdmin) {
				return gone
			}
			continue
		}
		gone[id] = is
	}
	if all && len(ids) > 0 {
		s.conditions.Over(zerolog.Ctx(ctx), "deleted projects").Msg("projects checked again")
	}
	return gone
}

// missedProjects returns the projects of protected volumes that Keystone does not list: of volumes that are not listed
// either, and of those that a deleted project left behind.
func missedProjects(inv backup.Inventory, unlisted []string, known map[string]db.Volume, protected []backup.Wish) (ids []string) {
	if inv.Missed("projects") {
		return nil
	}
	listed := map[string]bool{}
	for _, p := range inv.Projects {
		listed[p.ID] = true
	}
	for _, id := range unlisted {
		if project := known[id].ProjectID; known[id].Protected && !listed[project] {
			listed[project] = true // only once
			ids = append(ids, project)
		}
	}
	for _, w := range protected {
		if project := w.Volume.ProjectID; !listed[project] {
			listed[project] = true
			ids = append(ids, project)
		}
	}
	return ids
}

// goneProjects returns of each project that is known to exist or to be gone whether it is gone.
func (s *observation) goneProjects() map[string]bool {
	gone := make(map[string]bool, len(s.inv.Projects)+len(s.deleted))
	maps.Copy(gone, s.deleted)
	for _, p := range s.inv.Projects {
		gone[p.ID] = false
	}
	return gone
}

// leftBehind returns a finding for each deleted project of which protected volumes still exist.
func (s *observation) leftBehind() (found []backup.Finding) {
	reported := map[string]bool{}
	for _, w := range s.view.Protected {
		if id := w.Volume.ProjectID; s.deleted[id] && !reported[id] {
			reported[id] = true
			found = append(found, backup.Finding{Reason: backup.ProjectGone, ProjectID: id, Object: id, Detail: backup.ProjectGoneCure(id)})
		}
	}
	return found
}

// closeDeletedProjects ends the records of deleted projects: Keystone no longer knows the
// project, and Cinder, asked by ID as admin, no longer knows the backup. No tenant
// is left who could have removed them, so these are no unconfirmed losses.
func (s *Scheduler) closeDeletedProjects(ctx context.Context, b *db.Run) error {
	unlisted, err := b.UnlistedProjects(ctx)
	if err != nil || len(unlisted) == 0 {
		return err
	}
	var ended []string
	gone := s.deletedProjects(ctx, unlisted)
	for _, id := range unlisted {
		if !gone[id] {
			continue
		}
		records, err := b.UnlistedOf(ctx, id)
		if err != nil {
			return err
		}
		for _, r := range records {
			_, err := s.Cloud.AnyBackup(ctx, r.BackupID)
			switch {
			case err == nil:
				s.conditions.Over(zerolog.Ctx(ctx), "backups of deleted projects").Msg("backups of deleted projects checked again")
			case backup.Means(err, backup.MeansNotFound):
				ended = append(ended, r.ID)
			default:
				s.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, "backups of deleted projects", "").Err(err).EmbedObject(telemetry.IDs{RecordID: r.ID, ProjectID: id}).Msg("backup of a deleted project not checked, will be tried again")
			}
		}
	}
	if len(ended) == 0 {
		return nil
	}
	if err := s.Cloud.VerifyAdmin(ctx); err != nil { // a user who lost the admin role gets 404 for everything
		return err
	}
	return b.CloseDeletedProjects(ctx, ended)
}
