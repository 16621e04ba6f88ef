package backup

import (
	"errors"
	"fmt"
	"time"
)

// Settings are the operator's rules that several packages need, for decisions and for actions. The values come from
// the environment, as the tags define; this package only gives them their meaning.
type Settings struct {
	BackupMetadataKey    string   `split_words:"true" default:"__staffeln_backup" desc:"Key of the server metadata that asks for backups by the value true. Set and empty: the volumes of every server are backed up."`
	RetentionMetadataKey string   `split_words:"true" default:"__staffeln_retention" desc:"Key of the server metadata that sets the retention, as a period such as 30d."`
	BackupServicePeriod  Duration `split_words:"true" default:"1800" desc:"Grid on which plans lie; at least 60 seconds. No volume is backed up more often than once in it. Each plan lists all projects, servers and volumes, in pages of 1,000."`
	BackupMinInterval    Duration `split_words:"true" default:"1800" desc:"Least time from one backup of a volume to its next; 0 = a backup at every plan. Shorter costs more backups and space, and loses less."`
	FullBackupDepth      int      `split_words:"true" default:"2" min:"0" unit:"incrementals" desc:"Incrementals after each full backup; 0 = every backup is full. More save space and time, and keep a full until the last of its incrementals is over."`
	AllowShortPeriods    bool     `split_words:"true" default:"false" desc:"Allows BACKUP_SERVICE_PERIOD and RETENTION_SERVICE_PERIOD of less than 60 seconds, REPORT_PERIOD of less than 600, and RETENTION_SHORTEN_DELAY of less than twice REPORT_PERIOD: for tests and demonstrations."`
	DryRun               bool     `split_words:"true" default:"false" desc:"Plans and records what would be backed up and removed, and begins nothing: all projects are paused, workers refuse each change in Cinder, and no report or notice is sent. Set it for schedulers and workers alike, and restart them after each change. Without it, what was planned begins."`

	BackupCycleTimeout  Duration `split_words:"true" default:"6h" min:"1s" desc:"Time that a backup may take, from the request to Cinder on. After it the backup is overdue: reported as a failure, still followed, and kept if it ends well."`
	BackupTimeoutPerGib Duration `split_words:"true" default:"0" desc:"Time added to that for each GiB of the volume."`
	RPOGrace            Duration `split_words:"true" default:"0" desc:"A volume is late when the data of its newest restore point is older than the interval (or BACKUP_SERVICE_PERIOD, if longer), plus what a backup of it usually takes, plus this. 0 = 2 x BACKUP_SERVICE_PERIOD + a quarter of the interval, and never more than twice the interval plus an hour in all; doctor shows the result."`
	PollPeriod          Duration `split_words:"true" default:"30" min:"1s" desc:"Time between two dispatch runs, and between two checks of a backup in progress. Shorter notices sooner, at the cost of a listing in Cinder each time."`
	PostSettleTime      Duration `split_words:"true" default:"10min" min:"1s" desc:"How long the effect of a request without a response is searched for before the request is repeated. Too short: Cinder may carry out both."`
	BackupZones         Zones    `split_words:"true" desc:"Availability zone of the cinder-backup service for volumes of another zone, comma-separated: nova-2=nova-1,nova-3=nova-1. Needed where not every zone of volumes has a cinder-backup of its own."`
	BackupMaxOperations int      `split_words:"true" default:"15" min:"0" unit:"backups" desc:"Cinder's backup_max_operations: what one cinder-backup process works on at a time. Where it is less, this times the number of processes that are up, of all zones together, replaces MAX_BACKUPS_IN_PROGRESS, since the rest would wait inside Cinder (from 2026.1 on) while its time limit runs. Restores and processes of a zone count against it in Cinder, not here. 0 = not considered, nor where MAX_BACKUPS_IN_PROGRESS is 0 or Cinder does not list its services."`
	StuckReset          bool     `split_words:"true" default:"false" desc:"Allows the worker to remove by force (os-force_delete, not on Ceph) a backup that is overdue, and one whose removal never ends; where that is refused or does not help, its status is set to error, and it is removed as usual. What cinder-backup is still doing to it then continues unseen."`

	MaxBackupsInProgress           int `split_words:"true" default:"15" min:"0" unit:"backups" desc:"Backups in progress at the same time in the whole cloud; 0 = no cap. More load cinder-backup and its storage; fewer make a plan's backups take longer."`
	MaxBackupsInProgressPerProject int `split_words:"true" default:"5" min:"0" unit:"backups" desc:"The same for each project; 0 = no cap. It keeps one large project from taking all slots."`
	MaxBackupsInProgressPerZone    int `split_words:"true" default:"0" min:"0" unit:"backups" desc:"The same for each availability zone; 0 = no cap."`
	MaxBackupsSlow                 int `split_words:"true" default:"10" min:"0" unit:"backups" desc:"Backups that take far longer than usual (three times as long as the volume's last ones, or half of their time limit) leave their slots in MAX_BACKUPS_IN_PROGRESS to others, but no more than this many; 0 = all of them. So one dead backend does not keep the others from their backups, and no backup begins beyond both numbers together. Overdue backups count in neither."`
	MaxRemovalsInProgress          int `split_words:"true" default:"15" min:"0" unit:"backups" desc:"Backups being removed at the same time in the whole cloud; 0 = no cap."`
	MaxForcedFulls                 int `split_words:"true" default:"5" min:"0" unit:"backups" desc:"Full backups in progress at the same time that FULL_BACKUP_DEPTH did not ask for (a chain that can't continue); 0 = no cap. It keeps an outage that broke many chains from becoming a storm of fulls."`

	RetentionTime          Period   `split_words:"true" default:"2w3d" desc:"How long restore points are kept from the time of their data, unless the server's metadata sets it. Calendar-true: 1mon is a month."`
	RetentionMin           Period   `split_words:"true" default:"1d" desc:"Least retention that metadata can set; empty = none."`
	RetentionMax           Period   `split_words:"true" desc:"Longest retention that metadata can set; empty = none."`
	RetentionShortenDelay  Duration `split_words:"true" default:"7d" desc:"How long every plan must see a shorter retention by metadata before it takes effect; at least twice REPORT_PERIOD. Protects against an attacker who shortens the retention with a stolen tenant password."`
	RetentionServicePeriod Duration `split_words:"true" default:"1200" desc:"Grid of the runs that find restore points whose retention is over; at least 60 seconds. Of a chain one link is removed at a time; the next one follows within POLL_PERIOD of the removal's end. Each run reads the links of every volume with a restore point past its retention."`
	MinRestorePoints       int      `split_words:"true" default:"1" min:"0" unit:"restore points" desc:"Newest restore points of a protected volume that are never removed, however old, with everything they depend on; after its protection ended they are kept for PROTECTION_GRACE. They count for each project that owns some of a volume. 0 = none is kept beyond its retention."`
	ProtectionGrace        Duration `split_words:"true" default:"7d" desc:"How long MIN_RESTORE_POINTS are still kept after the protection of a volume ended (metadata changed, volume detached, server or volume deleted, volume transferred). 0 = not at all."`

	ReconcilePeriod Duration `split_words:"true" default:"6h" min:"1s" desc:"Grid on which all backups that Cinder has are compared with all records. Each time costs one page of a listing for 1,000 backups."`
	ReportPeriod    Duration `split_words:"true" default:"86400" desc:"How often a report shows what ended and what is late: at least 600 seconds. It is due when the oldest unreported result is that old, counted from when the backup was planned, and the previous report is that old too."`
	HistoryTime     Period   `split_words:"true" default:"1y" desc:"How long history is kept: records of backups that Cinder has no more, volumes that are gone, what operators did, who asked for deletions, and reports with their receivers; empty = for ever. Longer costs rows in the database. Of what failed and left nothing in Cinder a volume keeps the newest 50 in any case."`
}

// Policy returns the rule for all volumes.
func (s Settings) Policy() Policy {
	return Policy{Period: s.BackupServicePeriod.Std(), Interval: s.BackupMinInterval.Std(), Depth: s.FullBackupDepth}
}

// Bounds returns the rules for retentions.
func (s Settings) Bounds() Bounds {
	return Bounds{Default: s.RetentionTime, Min: s.RetentionMin, Max: s.RetentionMax, ShortenDelay: s.RetentionShortenDelay.Std(), Gap: 2 * s.BackupServicePeriod.Std()}
}

// Keys returns the names of the server metadata.
func (s Settings) Keys() Keys {
	return Keys{Backup: s.BackupMetadataKey, Retention: s.RetentionMetadataKey}
}

// Timeout returns how long a backup of a volume of this size may take.
func (s Settings) Timeout(sizeGiB int) time.Duration {
	return s.BackupCycleTimeout.Std() + time.Duration(sizeGiB)*s.BackupTimeoutPerGib.Std()
}

// RunLateAfter returns the age of the newest run of this period beyond which the run is late.
func RunLateAfter(period Duration) time.Duration { return 2 * period.Std() }

// Validate returns all errors that involve several values. Each error begins with the variable, without a prefix.
func (s Settings) Validate() error {
	faults := []error{
		s.atLeast("BACKUP_SERVICE_PERIOD", s.BackupServicePeriod),
		s.atLeast("RETENTION_SERVICE_PERIOD", s.RetentionServicePeriod),
	}
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if least := Duration(10 * time.Minute); s.ReportPeriod < least && !s.AllowShortPeriods {
		fault("REPORT_PERIOD: %s: want at least %s, or ALLOW_SHORT_PERIODS=true", s.ReportPeriod, least)
	}
	if least := 2 * s.ReportPeriod; s.RetentionShortenDelay < least && !s.AllowShortPeriods {
		fault("RETENTION_SHORTEN_DELAY: %s: want at least %s, which is twice REPORT_PERIOD, so that people are informed before anything is removed", s.RetentionShortenDelay, least)
	}
	switch s.RetentionMetadataKey {
	case "":
		fault("RETENTION_METADATA_KEY: want a name that is not empty")
	case s.BackupMetadataKey:
		fault("RETENTION_METADATA_KEY: %q is BACKUP_METADATA_KEY too; want two different names", s.RetentionMetadataKey)
	}
	if s.RetentionTime.IsZero() {
		fault("RETENTION_TIME: %s: want a period above zero", s.RetentionTime)
	}
	if !s.RetentionMin.IsZero() && !s.RetentionMax.IsZero() && s.RetentionMin.longerOnAverage(s.RetentionMax) {
		fault("RETENTION_MIN: %s: want no more than RETENTION_MAX, which is %s", s.RetentionMin, s.RetentionMax)
	}
	return errors.Join(faults...)
}

// atLeast returns an error for a service period of less than a minute, or of less than a second if the operator
// allows short periods.
func (s Settings) atLeast(variable string, d Duration) error {
	switch {
	case s.AllowShortPeriods && d.Std() < time.Second:
		return fmt.Errorf("%s: %s: want at least 1s", variable, d)
	case !s.AllowShortPeriods && d.Std() < time.Minute:
		return fmt.Errorf("%s: %s: want at least 1min, or ALLOW_SHORT_PERIODS=true", variable, d)
	}
	return nil
}
