package scheduler

import (
	"context"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
)

// logFindings logs new findings, those of the operator as errors. Each finding is logged once, however often it
// is seen again.
func logFindings(ctx context.Context, fresh []backup.Finding) {
	for _, f := range fresh {
		level := zerolog.WarnLevel
		if f.Reason.Whose() == backup.Operator {
			level = zerolog.ErrorLevel
		}
		e := zerolog.Ctx(ctx).WithLevel(level).Str("reason", string(f.Reason)).Str("owner", string(f.Reason.Whose())).
			EmbedObject(telemetry.IDs{VolumeID: f.VolumeID, ProjectID: f.ProjectID}).Str("object", f.Object)
		if f.ObjectName != "" {
			e.Str("object_name", f.ObjectName)
		}
		e.Str("detail", f.Detail).Msg("finding")
	}
}

// recordEnds records and logs the findings about protection that ended. With all,
// it also checks those again that were found before.
func (s *Scheduler) recordEnds(ctx context.Context, b *db.Run, all bool) error {
	fresh, err := b.RecordEndedProtection(ctx, s.Settings.ProtectionGrace.Std(), s.Settings.MinRestorePoints, all)
	if err != nil {
		return err
	}
	logFindings(ctx, fresh)
	return nil
}

// recordBursts records the findings about callers of the delete check that were refused too often. It needs no cloud.
func (s *Scheduler) recordBursts(ctx context.Context, b *db.Run) error {
	fresh, err := b.RecordRefusalBursts(ctx)
	if err != nil {
		return err
	}
	logFindings(ctx, fresh)
	return nil
}

// countFindings sets the metric of the open findings from all sources.
func (s *Scheduler) countFindings(ctx context.Context, b *db.Run) error {
	counts, err := b.FindingCounts(ctx)
	if err != nil {
		return err
	}
	byCode := make(map[telemetry.Code]int, len(counts))
	for reason, n := range counts {
		byCode[telemetry.Code{Reason: reason, Owner: string(backup.Reason(reason).Whose())}] = n
	}
	s.Metrics.SetFindings(byCode)
	return nil
}
