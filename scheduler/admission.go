package scheduler

import (
	"context"
	"maps"
	"slices"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
)

// outage reads once in which zones no cinder-backup is up. It asks nothing if no
// record waits for admission. If Cinder can't be read, no backup is held back.
func (s *Scheduler) outage(ctx context.Context, b *db.Run) (backup.Outage, error) {
	waits, err := b.Waiting(ctx)
	if err != nil || !waits {
		return backup.Outage{}, err
	}
	services, err := s.Cloud.BackupServices(ctx)
	if err != nil && s.conditions.Holds(notAdminCondition) { // the same cause, which is logged already
		return backup.Outage{}, nil
	}
	if err != nil {
		form, detail := "other", "check cinder-api and its endpoint in Keystone's catalog, os-services in its policy; the next run asks again"
		if backup.Means(err, backup.MeansForbidden) || backup.Means(err, backup.MeansUnauthorised) {
			form, detail = "forbidden", "let the service user read os-services (Cinder's policy volume_extension:services:index); until then backups are begun where no cinder-backup is up, too"
		}
		s.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, "services", form).Err(err).Str("detail", detail).Msg("backup services not listed, all assumed up")
		return backup.Outage{}, nil
	}
	s.conditions.Over(zerolog.Ctx(ctx), "services").Msg("backup services listed again")
	return backup.OutageOf(services, s.Settings.BackupZones), nil
}

// logAdmission logs when throttling of all admissions, or of single projects and zones, begins and ends.
func (s *Scheduler) logAdmission(ctx context.Context, outage backup.Outage, a backup.Admission) {
	why := []string{string(a.ThrottleReason)}
	for _, one := range a.Throttles {
		why = append(why, string(one.Why))
	}
	s.Metrics.SetAdmission(a.Slow, why...)
	s.logThrottles(ctx, a.Throttles)
	down := slices.Sorted(maps.Keys(outage.Zones))
	if a.ThrottleReason == s.throttled && (a.ThrottleReason != backup.WhileOutage || slices.Equal(down, s.downZones)) {
		return
	}
	log := zerolog.Ctx(ctx)
	switch a.ThrottleReason {
	case backup.NotThrottled:
		log.Info().Str("before", string(s.throttled)).Msg("admission no longer throttled")
	case backup.WhileOutage:
		log.Error().Strs("zones", down).Int("held_back", a.HeldBy(backup.Held(backup.WhileOutage))).Str("detail", "start one there, or map the zones with STAFFELN_BACKUP_ZONES; their volumes are not backed up until then").
			Msg("no cinder-backup service is up in these availability zones; backups are held back")
	case backup.WhileThrottle, backup.WhileAway, backup.WhileFailing:
		log.Warn().Str("reason", string(a.ThrottleReason)).Msg("admission throttled")
	}
	s.throttled, s.downZones = a.ThrottleReason, down
}

// logThrottles logs when the throttling of single projects and zones begins and ends.
func (s *Scheduler) logThrottles(ctx context.Context, now map[backup.AdmissionScope]backup.Throttle) {
	log := zerolog.Ctx(ctx)
	for at := range s.scopeThrottles {
		if _, still := now[at]; !still {
			s.conditions.Over(log, throttleCondition(at)).EmbedObject(telemetry.IDs{ProjectID: at.Project}).Str("zone", at.Zone).Msg("admission no longer throttled for a project or availability zone")
		}
	}
	for at, one := range now {
		s.conditions.Met(log, zerolog.WarnLevel, throttleCondition(at), string(one.Why)).Str("reason", string(one.Why)).EmbedObject(telemetry.IDs{ProjectID: at.Project}).Str("zone", at.Zone).
			Int("held_back", one.Held).Msg("admission throttled for a project or availability zone")
	}
	s.scopeThrottles = now
}

func throttleCondition(at backup.AdmissionScope) string {
	return "throttle " + at.Project + " " + at.Zone
}
