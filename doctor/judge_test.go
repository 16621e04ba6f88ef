package doctor

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/invariants"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// healthy returns the facts of an installation without problems.
func healthy() Facts {
	return Facts{
		Now: now,
		Settings: backup.Settings{
			BackupMinInterval: backup.Duration(24 * time.Hour), BackupServicePeriod: backup.Duration(time.Hour), FullBackupDepth: 2,
			RetentionTime: backup.Period{Days: 17}, RetentionShortenDelay: backup.Duration(24 * time.Hour), MinRestorePoints: 1,
			MaxBackupsInProgress: 15, MaxBackupsInProgressPerProject: 5,
		},
		ConfiguredBy: "read from the environment",
		Database:     DatabaseFacts{Version: 170004, Fsync: true, SynchronousCommit: "on", Replicas: 1},
		Queue:        QueueFacts{Version: "7.2.4", AppendOnly: true, Eviction: "noeviction", UsedBytes: 1 << 20, MaxBytes: 1 << 30, Workers: 2},
		Cloud:        CloudFacts{Admin: true, Microversion: "3.64", Minor: 64, Services: []backup.Service{{Host: "a", Zone: "nova", Up: true}}},
		Check:        Check{Required: true, Named: true, Verified: 12},
		Projects:     []ProjectFacts{{ID: "p", Name: "acme", Backups: backup.Quota{Limit: -1, InUse: 500}, Gigabytes: backup.Quota{Limit: 1000, InUse: 899}, Encrypted: 1, SecretRight: true}},
		Load:         []Load{{"acme", 10, 10 * time.Minute}},
	}
}

func TestHealthyInstallationHasOnlyOKFindings(t *testing.T) {
	findings := Judge(healthy())
	var checks []string
	for _, f := range findings {
		checks = append(checks, f.Check)
		assert.Equal(t, OK, f.Severity, "%+v", f)
		assert.NotEmpty(t, f.Text)
		assert.Empty(t, f.Do)
	}
	assert.Equal(t, []string{"configuration", "configuration", "configuration", "database", "queue", "cloud", "projects", "projects", "invariants", "scheduler", "protection", "delete_check", "forecast"}, checks)
	assert.Equal(t, OK, Worst(findings))
}

// A single Postgres of which the operator states that it is backed up is as it should be.
func TestStatedBackupOfTheDatabaseIsOK(t *testing.T) {
	f := healthy()
	f.Database.Replicas, f.Database.BackedUp = 0, true
	require.Equal(t, OK, Worst(Judge(f)))
	require.Contains(t, database(f.Database)[0].Text, "the operator states that backups of it exist")
}

// Doctor can't check who may delete secrets; it adds a finding if that could cost backups.
func TestFindingAboutSecretDeletionWithEncryptedVolumes(t *testing.T) {
	f := healthy()
	f.Projects = append(f.Projects, ProjectFacts{ID: "q", Encrypted: 2, SecretRight: true})
	lines := func() (texts []string) {
		for _, one := range Judge(f) {
			if strings.Contains(one.Text, "secret:delete") {
				texts = append(texts, one.Text)
			}
		}
		return texts
	}
	require.Len(t, lines(), 1)
	assert.Contains(t, lines()[0], "3 protected volumes are encrypted")
	f.Projects[0].Encrypted, f.Projects[1].Encrypted = 0, 0
	assert.Empty(t, lines())
}

func TestUnreadPartIsNotOK(t *testing.T) {
	well := func(f Facts) (checks []string) {
		for _, one := range Judge(f) {
			if one.Severity == OK {
				checks = append(checks, one.Check)
			}
		}
		return checks
	}
	f := healthy()
	f.Database, f.CompareFault = DatabaseFacts{Fault: "away"}, "the same"
	assert.Equal(t, []string{"configuration", "configuration", "configuration", "queue", "cloud"}, well(f))
	f = healthy()
	f.Cloud, f.CompareFault = CloudFacts{Fault: "away"}, "the same"
	assert.Equal(t, []string{"configuration", "configuration", "configuration", "database", "queue", "scheduler", "protection", "delete_check", "forecast"}, well(f))
}

func TestEachProblemHasOneFindingWithAction(t *testing.T) {
	const unread = "can't be read"
	type change func(*Facts)
	for name, c := range map[string]struct {
		wrong    change
		check    string
		severity Severity
		text     string
	}{
		"short periods":       {func(f *Facts) { f.Settings.AllowShortPeriods = true }, "configuration", Warning, "ALLOW_SHORT_PERIODS"},
		"no floor":            {func(f *Facts) { f.Settings.MinRestorePoints = 0 }, "configuration", Warning, "MIN_RESTORE_POINTS"},
		"short retention":     {func(f *Facts) { f.Settings.RetentionTime = backup.Period{Days: 1} }, "configuration", Warning, "no longer than the interval"},
		"no delay":            {func(f *Facts) { f.Settings.RetentionShortenDelay = 0 }, "configuration", Warning, "SHORTEN_DELAY"},
		"no cap":              {func(f *Facts) { f.Settings.MaxBackupsInProgress = 0 }, "configuration", Warning, "MAX_BACKUPS_IN_PROGRESS"},
		"no database":         {func(f *Facts) { f.Database = DatabaseFacts{Fault: "connection refused"} }, "database", Failing, "connection refused"},
		"a replica":           {func(f *Facts) { f.Database.Recovery = true }, "database", Failing, "replica"},
		"fsync off":           {func(f *Facts) { f.Database.Fsync = false }, "database", Failing, "fsync"},
		"asynchronous":        {func(f *Facts) { f.Database.SynchronousCommit = "off" }, "database", Warning, "synchronous_commit"},
		"pooled":              {func(f *Facts) { f.Database.Pooled = true }, "database", Failing, "transaction pooler"},
		"old Postgres":        {func(f *Facts) { f.Database.Version = 130011 }, "database", Warning, "Postgres 13"},
		"no replica":          {func(f *Facts) { f.Database.Replicas = 0 }, "database", Warning, "no replica"},
		"no plan yet":         {func(f *Facts) { f.FirstPlan = "comes at 2026-03-01 12:00 UTC, in 5 min" }, "protection", Unknown, "no plan has run yet: nothing is known about volumes; the first one comes at 2026-03-01 12:00 UTC, in 5 min"},
		"no queue":            {func(f *Facts) { f.Queue = QueueFacts{Fault: "away"} }, "queue", Failing, "away"},
		"no worker":           {func(f *Facts) { f.Queue.Workers = 0 }, "queue", Failing, "no worker is alive"},
		"hidden":              {func(f *Facts) { f.Queue.Hidden = true }, "queue", Unknown, "does not let us read"},
		"evicts":              {func(f *Facts) { f.Queue.Eviction = "allkeys-lru" }, "queue", Failing, "allkeys-lru"},
		"no file":             {func(f *Facts) { f.Queue.AppendOnly = false }, "queue", Warning, "append-only"},
		"full Redis":          {func(f *Facts) { f.Queue.UsedBytes = 900 << 20 }, "queue", Warning, "900 of 1024 MiB"},
		"no cloud":            {func(f *Facts) { f.Cloud = CloudFacts{Fault: "401"} }, "cloud", Failing, "401"},
		"no admin":            {func(f *Facts) { f.Cloud.Admin = false }, "cloud", Failing, "not an admin"},
		"no metadata":         {func(f *Facts) { f.Cloud.Minor, f.Cloud.Microversion = 42, "3.42" }, "cloud", Warning, "descriptions"},
		"no user":             {func(f *Facts) { f.Cloud.Minor, f.Cloud.Microversion = 55, "3.55" }, "cloud", Warning, "who made"},
		"clock ahead":         {func(f *Facts) { f.Cloud.ClockOff = time.Minute }, "cloud", Warning, "1m0s"},
		"clock behind":        {func(f *Facts) { f.Cloud.ClockOff = -time.Minute }, "cloud", Warning, "1m0s"},
		"two users":           {func(f *Facts) { f.Cloud.OtherMakers = map[string]int{"u": 3} }, "cloud", Failing, "3 backups"},
		"services unread":     {func(f *Facts) { f.Cloud.ServicesFault = "403" }, "cloud", Unknown, "403"},
		"no service":          {func(f *Facts) { f.Cloud.Services = nil }, "cloud", Failing, "lists no"},
		"none up":             {func(f *Facts) { f.Cloud.Services[0].Up = false }, "cloud", Failing, "no cinder-backup service is up"},
		"a zone down":         {func(f *Facts) { f.Cloud.Services = append(f.Cloud.Services, backup.Service{Host: "b", Zone: "far"}) }, "cloud", Failing, "zone far"},
		"one of several down": {func(f *Facts) { f.Cloud.Services = append(f.Cloud.Services, backup.Service{Host: "b", Zone: "nova"}) }, "cloud", Warning, "on b"},
		"no role":             {func(f *Facts) { f.Projects[0].Fault = "no role" }, "projects", Failing, "acme: no role"},
		"quota used up":       {func(f *Facts) { f.Projects[0].Backups = backup.Quota{Limit: 10, InUse: 9, Reserved: 1} }, "projects", Failing, "used up (10 of 10)"},
		"no quota":            {func(f *Facts) { f.Projects[0].Backups = backup.Quota{} }, "projects", Failing, "used up (0 of 0)"},
		"quota nearly":        {func(f *Facts) { f.Projects[0].Gigabytes = backup.Quota{Limit: 1000, InUse: 900} }, "projects", Warning, "nearly used up (900 of 1000)"},
		"no secrets":          {func(f *Facts) { f.Projects[0].SecretRight = false }, "projects", Warning, "encrypted"},
		"a violation": {func(f *Facts) {
			f.Violations = []invariants.Violation{{Invariant: invariants.Orphan, Text: "nobody's", Backup: "b"}}
		}, "invariants", Failing, "orphan: nobody's"},
		"not compared":    {func(f *Facts) { f.CompareFault = "no listing" }, "invariants", Unknown, "no listing"},
		"nobody leads":    {func(f *Facts) { f.Warnings = []string{"No scheduler leads."} }, "scheduler", Failing, "No scheduler leads"},
		"dry run":         {func(f *Facts) { f.DryRun = true }, "scheduler", Warning, "a dry run"},
		"paused":          {func(f *Facts) { f.Pauses = 2 }, "scheduler", Warning, "pauses in force: 2"},
		"late":            {func(f *Facts) { f.Late = 3 }, "protection", Failing, "3 volumes are late"},
		"too much":        {func(f *Facts) { f.Load[0].Average = 13 * time.Hour }, "forecast", Failing, "takes 26h0m0s (project acme, under its own cap) against an interval of 24h0m0s: volumes will be late"},
		"nearly too much": {func(f *Facts) { f.Load[0].Average = 10 * time.Hour }, "forecast", Warning, "takes 20h0m0s"},
		"too much in all": {func(f *Facts) {
			for i := range 20 {
				f.Load = append(f.Load, Load{string(rune('a' + i)), 5, 4 * time.Hour})
			}
		}, "forecast", Failing, "takes 26h46m40s (all together)"},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy()
			c.wrong(&f)
			var wrong []Result
			for _, one := range Judge(f) {
				if one.Severity != OK && !strings.Contains(one.Text, unread) {
					wrong = append(wrong, one)
				}
			}
			require.Len(t, wrong, 1, "%+v", wrong)
			assert.Equal(t, c.check, wrong[0].Check)
			assert.Equal(t, c.severity, wrong[0].Severity)
			assert.Contains(t, wrong[0].Text, c.text)
			if wrong[0].Check != "cloud" || c.severity != Unknown {
				assert.NotEmpty(t, wrong[0].Do, "what to do")
			}
			assert.Equal(t, c.severity, Worst(wrong))
		})
	}
}

func TestForecastWithoutMeasurements(t *testing.T) {
	f := healthy()
	f.Load = []Load{{"acme", 10, 0}}
	require.Contains(t, forecast(f)[0].Text, "no estimate yet")
	f.Load = []Load{{"acme", 10, time.Hour}, {"new", 50, 0}}
	require.Contains(t, forecast(f)[0].Text, "60 volumes, 1h0m0s each, takes 10h0m0s (project new")
	f.Settings.MaxBackupsInProgressPerProject, f.Settings.MaxBackupsInProgress = 0, 0
	require.Contains(t, forecast(f)[0].Text, "takes 1h0m0s")
}
