package config

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/kelseyhightower/envconfig"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

const secretURL = "postgres://staffeln:geheim@db/staffeln"

// environment returns a complete environment with changes; a change without a value removes the variable.
func environment(changes ...string) []string {
	set := map[string]string{"STAFFELN_DATABASE_URL": secretURL, "STAFFELN_REDIS_URL": "redis://:geheim@queue"}
	for _, c := range changes {
		name, value, given := strings.Cut(c, "=")
		if given {
			set[name] = value
		} else {
			delete(set, name)
		}
	}
	env := []string{"PATH=/bin", "STAFFELNX=not ours"}
	for name, value := range set {
		env = append(env, name+"="+value)
	}
	return env
}

func TestLoad_Defaults(t *testing.T) {
	var cfg All
	require.NoError(t, Load(environment(), &cfg))
	s := cfg.Scheduler.Settings
	require.Equal(t, s, cfg.Worker.Settings, "scheduler and worker read the same settings")
	require.Equal(t, backup.Keys{Backup: "__staffeln_backup", Retention: "__staffeln_retention"}, s.Keys())
	require.Equal(t, backup.Policy{Period: 30 * time.Minute, Interval: 30 * time.Minute, Depth: 2}, s.Policy())
	require.Equal(t, backup.Bounds{Default: backup.Period{Days: 17}, Min: backup.Period{Days: 1}, ShortenDelay: 7 * 24 * time.Hour, Gap: time.Hour}, s.Bounds())
	require.Equal(t, 7*24*time.Hour, s.ProtectionGrace.Std())
	require.Equal(t, 6*time.Hour, s.Timeout(100))
	require.Equal(t, 30*time.Minute+2*30*time.Minute+30*time.Minute/4, s.RPO().Of(0))
	require.Equal(t, 30*time.Second, s.PollPeriod.Std())
	require.Equal(t, 10*time.Minute, s.PostSettleTime.Std())
	require.Equal(t, []int{15, 5, 0, 15, 5}, []int{
		s.MaxBackupsInProgress, s.MaxBackupsInProgressPerProject, s.MaxBackupsInProgressPerZone, s.MaxRemovalsInProgress, s.MaxForcedFulls,
	})
	require.Equal(t, 20*time.Minute, s.RetentionServicePeriod.Std())
	require.Equal(t, 1, s.MinRestorePoints)
	require.Equal(t, backup.Period{Years: 1}, s.HistoryTime)
	require.Equal(t, 6*time.Hour, s.ReconcilePeriod.Std())
	require.False(t, s.StuckReset || s.AllowShortPeriods)
	require.Equal(t, 20, cfg.WorkerConcurrency)
	require.Equal(t, "0.0.0.0:9808", cfg.MetricsListen)
	require.Equal(t, "0.0.0.0:8808", cfg.API.Listen)
	require.Equal(t, []int{404}, cfg.Openstack.SkipRetryCodes)
	require.Equal(t, 5*time.Minute, cfg.Openstack.RetryTimeout.Std())
}

func TestLoad_Values(t *testing.T) {
	var cfg All
	require.NoError(t, Load(environment("STAFFELN_BACKUP_METADATA_KEY=", "STAFFELN_BACKUP_TIMEOUT_PER_GIB=2min",
		"STAFFELN_RPO_GRACE=1h", "STAFFELN_BACKUP_SERVICE_PERIOD=5", "STAFFELN_ALLOW_SHORT_PERIODS=true", "STAFFELN_RETENTION_MIN=1mon",
		"STAFFELN_HISTORY_TIME=", "STAFFELN_OPENSTACK_SKIP_RETRY_CODES=404,501", "STAFFELN_LOG_FORMAT=console"), &cfg))
	s := cfg.Scheduler.Settings
	require.Empty(t, s.Keys().Backup, "set and empty means every server")
	require.Equal(t, 6*time.Hour+20*time.Minute, s.Timeout(10))
	require.Equal(t, 90*time.Minute, s.RPO().Of(0))
	require.Equal(t, 5*time.Second, s.Policy().Period)
	require.Equal(t, backup.Period{Months: 1}, s.Bounds().Min)
	require.True(t, s.HistoryTime.IsZero())
	require.Equal(t, []int{404, 501}, cfg.Openstack.SkipRetryCodes)
}

func TestLoad_EachFault(t *testing.T) {
	for _, c := range []struct {
		name string
		env  []string
		want string
	}{
		{"missing", environment("STAFFELN_REDIS_URL"), "STAFFELN_REDIS_URL: missing; required, here or as STAFFELN_REDIS_URL_FILE"},
		{"required and empty", environment("STAFFELN_REDIS_URL="), "STAFFELN_REDIS_URL: empty; required"},
		{"no number", environment("STAFFELN_FULL_BACKUP_DEPTH=two"), `STAFFELN_FULL_BACKUP_DEPTH: "two": want a whole number of incrementals, at least 0`},
		{"an empty number", environment("STAFFELN_FULL_BACKUP_DEPTH="), `STAFFELN_FULL_BACKUP_DEPTH: "": want a whole number of incrementals, at least 0`},
		{"below its limit", environment("STAFFELN_WORKER_CONCURRENCY=0"), "STAFFELN_WORKER_CONCURRENCY: 0: want a whole number of tasks, at least 1"},
		{"a time below its limit", environment("STAFFELN_POLL_PERIOD=0"), "STAFFELN_POLL_PERIOD: 0s: want seconds, or a time such as 30min or 6h, at least 1s"},
		{"no time", environment("STAFFELN_POLL_PERIOD=30m"), `STAFFELN_POLL_PERIOD: "30m": want seconds, or a time such as 30min or 6h, at least 1s`},
		{"a time of months", environment("STAFFELN_RECONCILE_PERIOD=1mon"), `STAFFELN_RECONCILE_PERIOD: "1mon": want seconds, or a time such as 30min or 6h, at least 1s`},
		{"no period", environment("STAFFELN_RETENTION_TIME=3d2w"), `STAFFELN_RETENTION_TIME: "3d2w": want a period such as 2w3d or 1mon, or seconds`},
		{"no retention", environment("STAFFELN_RETENTION_TIME=0"), "STAFFELN_RETENTION_TIME: 0s: want a period above zero"},
		{"a service period", environment("STAFFELN_BACKUP_SERVICE_PERIOD=59"), "STAFFELN_BACKUP_SERVICE_PERIOD: 59s: want at least 1min, or ALLOW_SHORT_PERIODS=true"},
		{"the other service period", environment("STAFFELN_RETENTION_SERVICE_PERIOD=59"), "STAFFELN_RETENTION_SERVICE_PERIOD: 59s: want at least 1min, or ALLOW_SHORT_PERIODS=true"},
		{"no period at all", environment("STAFFELN_BACKUP_SERVICE_PERIOD=0", "STAFFELN_ALLOW_SHORT_PERIODS=1"), "STAFFELN_BACKUP_SERVICE_PERIOD: 0s: want at least 1s"},
		{"no truth", environment("STAFFELN_STUCK_RESET=yes"), `STAFFELN_STUCK_RESET: "yes": want true or false`},
		{"one key for two", environment("STAFFELN_RETENTION_METADATA_KEY=k", "STAFFELN_BACKUP_METADATA_KEY=k"), `STAFFELN_RETENTION_METADATA_KEY: "k" is BACKUP_METADATA_KEY too; want two different names`},
		{"both keys empty", environment("STAFFELN_RETENTION_METADATA_KEY=", "STAFFELN_BACKUP_METADATA_KEY="), "STAFFELN_RETENTION_METADATA_KEY: want a name that is not empty"},
		{"bounds crossed", environment("STAFFELN_RETENTION_MIN=2w", "STAFFELN_RETENTION_MAX=1w"), "STAFFELN_RETENTION_MIN: 2w: want no more than RETENTION_MAX, which is 1w"},
		{"level", environment("STAFFELN_LOG_LEVEL=INFO"), `STAFFELN_LOG_LEVEL: "INFO": want debug, info, warn or error`},
		{"nested", environment("STAFFELN_OPENSTACK_SKIP_RETRY_CODES=4o4"), `STAFFELN_OPENSTACK_SKIP_RETRY_CODES: "4o4": want whole numbers, comma-separated`},
		{"nested and judged", environment("STAFFELN_OPENSTACK_SKIP_RETRY_CODES=40"), "STAFFELN_OPENSTACK_SKIP_RETRY_CODES: 40: want HTTP status codes from 400 to 599"},
		{"nested twice", environment("STAFFELN_API_TLS_CERT_FILE=/c"), "STAFFELN_API_TLS_KEY_FILE: empty: want one, since the certificate's file is given"},
		{"unknown", environment("STAFFELN_BACKUP_CYCLE_TIMOUT=300"), "STAFFELN_BACKUP_CYCLE_TIMOUT: unknown; unset it, or spell it as docs/configuration.md does"},
		{"a file for what is no secret", environment("STAFFELN_LOG_LEVEL_FILE=/f"), "STAFFELN_LOG_LEVEL_FILE: unknown; unset it, or spell it as docs/configuration.md does"},
		{"both", environment("STAFFELN_REDIS_URL_FILE=/f"), "STAFFELN_REDIS_URL: set, and STAFFELN_REDIS_URL_FILE too; set only one of them"},
		{"file missing", environment("STAFFELN_REDIS_URL", "STAFFELN_REDIS_URL_FILE=/nowhere"), "STAFFELN_REDIS_URL: read STAFFELN_REDIS_URL_FILE: open /nowhere: no such file or directory"},
		{"a secret that can't be read", environment("STAFFELN_REDIS_URL=http://:geheim@h"), "STAFFELN_REDIS_URL: want redis://, rediss://, redis-sentinel:// or redis-cluster://"},
		{"another one", environment("STAFFELN_DATABASE_URL=postgres://:geheim@h:port/x"), "STAFFELN_DATABASE_URL: (a secret): want postgres://user:password@host:5432/name, with / ? # @ : and % of the password escaped"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.EqualError(t, Load(c.env, new(All)), c.want)
		})
	}
}

func TestLoad_AllFaultsAtOnceAndNoSecret(t *testing.T) {
	err := Load(environment("STAFFELN_DATABASE_URL=postgres://:geheim@h:port/", "STAFFELN_REDIS_URL", "STAFFELN_POLL_PERIOD=x",
		"STAFFELN_RETENTION_TIME=0", "STAFFELN_API_TLS_CERT_FILE=/c", "STAFFELN_NONSENSE=geheim", "STAFFELN_WORKER_CONCURRENCY=-1"), new(All))
	require.Error(t, err)
	faults := strings.Split(err.Error(), "\n")
	require.Len(t, faults, 7)
	for _, name := range []string{"DATABASE_URL", "REDIS_URL", "POLL_PERIOD", "RETENTION_TIME", "API_TLS_KEY_FILE", "NONSENSE", "WORKER_CONCURRENCY"} {
		require.Contains(t, err.Error(), "STAFFELN_"+name+": ")
	}
	require.NotContains(t, err.Error(), "geheim")
}

func TestLoad_SecretFromFileIsNotSetInEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "url")
	for content, want := range map[string]string{
		secretURL: secretURL, secretURL + "\n": secretURL, secretURL + "\r\n": secretURL, secretURL + "?application_name=a\n": secretURL + "?application_name=a",
	} {
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		var cfg APIProcess
		require.NoError(t, Load(environment("STAFFELN_DATABASE_URL", "STAFFELN_DATABASE_URL_FILE="+file), &cfg))
		require.Equal(t, want, cfg.DatabaseURL)
		_, set := os.LookupEnv("STAFFELN_DATABASE_URL")
		require.False(t, set)
	}
	require.NoError(t, os.WriteFile(file, []byte("\n"), 0o600))
	require.EqualError(t, Load(environment("STAFFELN_DATABASE_URL", "STAFFELN_DATABASE_URL_FILE="+file), new(APIProcess)),
		"STAFFELN_DATABASE_URL: empty; required")
}

func TestLoad_RestoresTheEnvironment(t *testing.T) {
	t.Setenv("STAFFELN_DATABASE_URL", "as it was")
	require.NoError(t, Load(environment(), new(APIProcess)))
	require.Equal(t, "as it was", os.Getenv("STAFFELN_DATABASE_URL"))
}

func TestLoad_AcceptsVariablesOfOtherProcessesAndOfKubernetes(t *testing.T) {
	require.NoError(t, Load(environment("STAFFELN_WORKER_CONCURRENCY=5", "STAFFELN_API_LISTEN=:1",
		"STAFFELN_PORT=tcp://10.0.0.1:8808", "STAFFELN_API_PORT_8808_TCP_ADDR=10.0.0.1", "STAFFELN_API_SERVICE_HOST=10.0.0.1",
		"STAFFELN_API_SERVICE_PORT=8808", "STAFFELN_API_SERVICE_PORT_HTTP=8808"), new(Migration)))
}

func everyVariable() (all []variable) {
	for _, p := range Processes() {
		variables, _ := walk(prefix, reflect.ValueOf(p.Config).Elem())
		all = append(all, variables...)
	}
	return all
}

func TestVariables_AreTheOnesThatEnvconfigSees(t *testing.T) {
	keys := template.Must(template.New("").Parse("{{range .}}{{.Key}}\n{{end}}"))
	for _, p := range Processes() {
		var theirs bytes.Buffer
		require.NoError(t, envconfig.Usaget(prefix, p.Config, &theirs, keys))
		var ours strings.Builder
		variables, _ := walk(prefix, reflect.ValueOf(p.Config).Elem())
		for _, v := range variables {
			ours.WriteString(v.name + "\n")
		}
		require.Equal(t, theirs.String(), ours.String(), p.Name)
	}
}

func TestVariables_AreDescribedAndWellFormed(t *testing.T) {
	for _, v := range everyVariable() {
		require.Regexp(t, `^[A-Z].*\.$`, v.tag.Get("desc"), v.name)
		require.False(t, injected(v.name), "%s has the form of those that Kubernetes injects", v.name)
		require.Empty(t, v.tag.Get("envconfig"), "%s: the tag falls back to names without the prefix", v.name)
		require.NotContains(t, v.form(), ".", "%s: a kind of value without words in form()", v.name)
		for _, limit := range []string{"min", "max"} {
			_, has := v.tag.Lookup(limit)
			kind := v.field.Kind()
			require.False(t, has && kind != reflect.Int && kind != reflect.Int64, "%s: limits are for numbers and times", v.name)
		}
		if v.tag.Get("default") != "" {
			require.NoError(t, v.parse("", false), v.name)
			require.NoError(t, v.inLimits(), v.name)
		}
	}
}

func TestLoad_QueuesPageNeedsALongTokenAndAQueue(t *testing.T) {
	const long = "STAFFELN_API_QUEUES_TOKEN=0123456789abcdef"
	var cfg APIProcess
	require.NoError(t, Load(environment("STAFFELN_REDIS_URL"), &cfg), "no page, no Redis")
	require.Empty(t, cfg.API.QueuesToken)
	require.NoError(t, Load(environment(long), &cfg))
	require.Equal(t, "redis://:geheim@queue", cfg.RedisURL)
	require.NoError(t, Load(environment(long), new(All)))

	const missing = "STAFFELN_REDIS_URL: missing; required, here or as STAFFELN_REDIS_URL_FILE, because STAFFELN_API_QUEUES_TOKEN enables the queue page"
	require.EqualError(t, Load(environment(long, "STAFFELN_REDIS_URL"), new(APIProcess)), missing)
	require.EqualError(t, Load(environment(long, "STAFFELN_REDIS_URL="), new(APIProcess)), missing)
	require.EqualError(t, Load(environment("STAFFELN_REDIS_URL=http://:geheim@h"), new(APIProcess)),
		"STAFFELN_REDIS_URL: want redis://, rediss://, redis-sentinel:// or redis-cluster://")
	for _, spec := range []any{new(APIProcess), new(All)} {
		require.EqualError(t, Load(environment("STAFFELN_API_QUEUES_TOKEN=guessme"), spec),
			"STAFFELN_API_QUEUES_TOKEN: too short: want at least 16 characters, such as `openssl rand -hex 24` prints")
	}
}

func TestPage_IsCurrent(t *testing.T) {
	held, err := os.ReadFile("../../docs/configuration.md")
	require.NoError(t, err)
	require.Equal(t, Page(), string(held), "run make generate")
	for _, v := range everyVariable() {
		require.Equal(t, 1, strings.Count(string(held), "| `"+v.name+"` |"), v.name)
	}
}
