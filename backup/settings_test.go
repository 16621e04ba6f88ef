package backup

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func valid() Settings {
	return Settings{
		BackupMetadataKey: "__staffeln_backup", RetentionMetadataKey: "__staffeln_retention",
		BackupServicePeriod: Duration(10 * time.Minute), BackupMinInterval: Duration(time.Hour), FullBackupDepth: 2,
		BackupCycleTimeout: Duration(6 * time.Hour), BackupTimeoutPerGib: Duration(time.Minute),
		RetentionTime: period("2w3d"), RetentionServicePeriod: Duration(20 * time.Minute), RetentionShortenDelay: Duration(24 * time.Hour),
		ReportPeriod: Duration(12 * time.Hour),
	}
}

func TestSettingsValues(t *testing.T) {
	s := valid()
	require.NoError(t, s.Validate())
	require.Equal(t, rule(t, hourly), s.Policy())
	bounds := usual
	bounds.Gap = 20 * time.Minute
	require.Equal(t, bounds, s.Bounds())
	require.Equal(t, Keys{"__staffeln_backup", "__staffeln_retention"}, s.Keys())
	require.Equal(t, 6*time.Hour+30*time.Minute, s.Timeout(30))
}

func TestSettingsRejected(t *testing.T) {
	for want, spoil := range map[string]func(*Settings){
		"BACKUP_SERVICE_PERIOD: 59s: want at least 1min":   func(s *Settings) { s.BackupServicePeriod = Duration(59 * time.Second) },
		"RETENTION_SERVICE_PERIOD: 0s: want at least 1min": func(s *Settings) { s.RetentionServicePeriod = 0 },
		"REPORT_PERIOD: 9min: want at least 10min":         func(s *Settings) { s.ReportPeriod = Duration(9 * time.Minute) },
		"RETENTION_SHORTEN_DELAY: 1d: want at least 2d":    func(s *Settings) { s.ReportPeriod = Duration(24 * time.Hour) },
		"RETENTION_METADATA_KEY: want a name":              func(s *Settings) { s.RetentionMetadataKey = "" },
		"RETENTION_METADATA_KEY: \"k\" is BACKUP":          func(s *Settings) { s.RetentionMetadataKey, s.BackupMetadataKey = "k", "k" },
		"RETENTION_TIME: 0s: want a period above zero":     func(s *Settings) { s.RetentionTime = Period{} },
		"RETENTION_MIN: 1mon: want no more":                func(s *Settings) { s.RetentionMin, s.RetentionMax = period("1mon"), period("30d") },
		"BACKUP_SERVICE_PERIOD: 0s: want at least 1s":      func(s *Settings) { s.BackupServicePeriod, s.AllowShortPeriods = 0, true },
	} {
		s := valid()
		spoil(&s)
		require.ErrorContains(t, s.Validate(), want)
	}
	s := valid()
	s.AllowShortPeriods, s.BackupServicePeriod, s.BackupMetadataKey = true, Duration(time.Second), ""
	s.RetentionMin, s.RetentionMax = period("1w"), period("1w")
	require.NoError(t, s.Validate())
	require.Equal(t, 5, strings.Count(Settings{}.Validate().Error()+"\n", "\n"), "all faults at once")
}
