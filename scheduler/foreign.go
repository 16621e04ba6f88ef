package scheduler

import (
	"context"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// maxForeign is how many foreign backups of our volumes one reconcile run keeps in memory: some 60 MB. Beyond it the run does not
// record which of them build on ours. Forecasts then promise removals that the worker refuses; nothing else depends on it.
const maxForeign = 200_000

// foreignBackups are the backups without a record that Cinder listed, of volumes that have records.
type foreignBackups struct {
	links map[string][]backup.Link // by volume; nil if there are too many
	n     int
}

func (f *foreignBackups) add(one backup.Backup) {
	f.n++
	if f.n > maxForeign {
		f.links = nil
		return
	}
	if f.links == nil {
		f.links = map[string][]backup.Link{}
	}
	f.links[one.VolumeID] = append(f.links[one.VolumeID], backup.LinkOf(one, nil, backup.Retention{}))
}

// recordForeign records which of our restore points foreign backups depend on.
func (s *Scheduler) recordForeign(ctx context.Context, b *db.Run, foreign foreignBackups) error {
	if foreign.n > maxForeign {
		s.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, "foreign", "").Int("backups", foreign.n).Msg("too many foreign backups, their dependence on ours not recorded")
		return nil
	}
	s.conditions.Over(zerolog.Ctx(ctx), "foreign").Msg("dependence of foreign backups on ours recorded again")
	return b.RecordForeignDependents(ctx, foreign.links)
}
