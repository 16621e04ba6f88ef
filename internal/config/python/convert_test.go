package python

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The options of the Python program with their defaults, from its source; those of oslo.log that operators set are not here.
var inPython = map[string]string{
	"conductor.backup_workers": "1", "conductor.rotation_workers": "1", "conductor.backup_service_period": "1800",
	"conductor.backup_min_interval": "1800", "conductor.report_period": "86400", "conductor.backup_cycle_timout": "5min",
	"conductor.backup_metadata_key": "", "conductor.retention_metadata_key": "", "conductor.full_backup_depth": "2",
	"conductor.retention_service_period": "1200", "conductor.retention_time": "2w3d",
	"openstack.retry_timeout": "300", "openstack.max_retry_interval": "30", "openstack.skip_retry_codes": "404",
	"coordination.backend_url": "", "database.connection": "", "database.mysql_engine": "InnoDB",
	"api.host": "0.0.0.0", "api.port": "8808", "api.enabled_ssl": "false", "api.ssl_key_file": "", "api.ssl_cert_file": "",
	"notification.receiver": "", "notification.project_receiver_domain": "", "notification.sender_email": "",
	"notification.sender_pwd": "", "notification.smtp_server_domain": "localhost", "notification.smtp_server_port": "25",
}

func TestTableKnowsEachOptionWithItsDefault(t *testing.T) {
	used := map[string]bool{}
	for _, s := range successors {
		for _, name := range s.of {
			used[name] = true
			_, known := lookUp(name)
			assert.True(t, known, "%s is made of %s, which is in no table", s.variable, name)
		}
	}
	seen := map[string]bool{}
	for _, o := range options {
		assert.False(t, seen[o.name], "%s: twice", o.name)
		seen[o.name] = true
		assert.NotEqual(t, o.without != "", used[o.name], "%s: want a successor, or the reason why there is none", o.name)
		if !strings.HasPrefix(o.name, "DEFAULT.") {
			fallback, known := inPython[o.name]
			assert.True(t, known, o.name)
			assert.Equal(t, fallback, o.fallback, o.name)
		}
	}
	for name := range inPython {
		assert.True(t, seen[name], "%s: not in the table", name)
	}
}

// ofDefaults are the settings of an empty staffeln.conf: what the Python program does without one.
var ofDefaults = map[string]string{
	"STAFFELN_LOG_LEVEL": "info", "STAFFELN_BACKUP_METADATA_KEY": "", "STAFFELN_RETENTION_MIN": "2w3d", "STAFFELN_RETENTION_MAX": "2w3d",
	"STAFFELN_BACKUP_SERVICE_PERIOD": "1800", "STAFFELN_BACKUP_MIN_INTERVAL": "1800", "STAFFELN_FULL_BACKUP_DEPTH": "2",
	"STAFFELN_BACKUP_CYCLE_TIMEOUT": "5min", "STAFFELN_RETENTION_TIME": "2w3d", "STAFFELN_RETENTION_SERVICE_PERIOD": "1200",
	"STAFFELN_REPORT_PERIOD": "86400", "STAFFELN_OPENSTACK_RETRY_TIMEOUT": "300", "STAFFELN_OPENSTACK_MAX_RETRY_INTERVAL": "30",
	"STAFFELN_OPENSTACK_SKIP_RETRY_CODES": "404", "STAFFELN_SMTP_SERVER": "localhost:25", "STAFFELN_API_LISTEN": "0.0.0.0:8808",
}

// converted returns the conversion of a text, checked.
func converted(t *testing.T, text string) *Conversion {
	t.Helper()
	set, err := ParseConf("staffeln.conf", text)
	require.NoError(t, err)
	c := Convert("staffeln.conf", set)
	require.NoError(t, c.Check())
	return &c
}

// accepted returns the settings that the program accepts, and refused the reasons of the others.
func (c *Conversion) accepted() map[string]string {
	all := map[string]string{}
	for _, s := range c.Settings {
		if s.Refused == "" {
			all[s.Variable] = s.Value
		}
	}
	return all
}

func (c *Conversion) refused() map[string]string {
	all := map[string]string{}
	for _, s := range c.Settings {
		if s.Refused != "" {
			all[s.Variable] = s.Refused
		}
	}
	return all
}

func (c *Conversion) remarks() (all []string) {
	for _, r := range c.Remarks {
		all = append(all, r.line())
	}
	return all
}

func TestEmptyFileBecomesTheDefaultsOfThePythonProgram(t *testing.T) {
	c := converted(t, "")
	assert.Equal(t, ofDefaults, c.accepted())
	assert.Empty(t, c.refused())
	assert.Empty(t, c.Remarks)
	for _, s := range c.Settings {
		assert.True(t, s.Default, s.Variable)
	}
}

// Each case is what one or more options change against the defaults: "" for a variable that is not given any more.
func TestEachOption(t *testing.T) {
	const mails = "\n[notification]\nsender_email = s@example.org\n"
	const key = "[conductor]\nretention_metadata_key = k\n"
	for _, c := range []struct {
		text    string
		differs map[string]string
		refused map[string]string
		remarks []string
	}{
		{text: "[conductor]\nbackup_service_period = 3600", differs: map[string]string{"STAFFELN_BACKUP_SERVICE_PERIOD": "3600"}},
		{text: "[conductor]\nbackup_service_period = 20", refused: map[string]string{"STAFFELN_BACKUP_SERVICE_PERIOD": "20s: want at least 1min, or ALLOW_SHORT_PERIODS=true"}},
		{text: "[conductor]\nbackup_service_period = 1h", refused: map[string]string{"STAFFELN_BACKUP_SERVICE_PERIOD": "want a whole number, as the Python program does"}},
		{text: "[conductor]\nbackup_service_period =", refused: map[string]string{"STAFFELN_BACKUP_SERVICE_PERIOD": "want a whole number, as the Python program does"}},
		{text: "[conductor]\nbackup_min_interval = 0", differs: map[string]string{"STAFFELN_BACKUP_MIN_INTERVAL": "0"}},
		{text: "[conductor]\nbackup_min_interval = -1", refused: map[string]string{"STAFFELN_BACKUP_MIN_INTERVAL": `"-1": want seconds, or a time such as 30min or 6h`}},
		{text: "[conductor]\nfull_backup_depth = 0", differs: map[string]string{"STAFFELN_FULL_BACKUP_DEPTH": "0"}},
		{text: "[conductor]\nfull_backup_depth = -1", refused: map[string]string{"STAFFELN_FULL_BACKUP_DEPTH": "-1: want a whole number of incrementals, at least 0"}},
		{text: "[conductor]\nbackup_cycle_timout = 6h", differs: map[string]string{"STAFFELN_BACKUP_CYCLE_TIMEOUT": "6h"}},
		{text: "[conductor]\nbackup_cycle_timout = 1mon", refused: map[string]string{"STAFFELN_BACKUP_CYCLE_TIMEOUT": `"1mon": want seconds, or a time such as 30min or 6h, at least 1s`}},
		{text: "[conductor]\nbackup_cycle_timout = 300", refused: map[string]string{"STAFFELN_BACKUP_CYCLE_TIMEOUT": `parse period "300": want numbers with units in this order: y mon w d h min s, such as 2w3d`}},
		{text: "[conductor]\nbackup_metadata_key = k", differs: map[string]string{"STAFFELN_BACKUP_METADATA_KEY": "k"}},
		{text: "[conductor]\nbackup_metadata_key =", refused: map[string]string{"STAFFELN_BACKUP_METADATA_KEY": "empty: the Python program then backed up no server, and this program would back up all"}},
		{text: key, differs: map[string]string{"STAFFELN_RETENTION_METADATA_KEY": "k", "STAFFELN_RETENTION_MIN": "", "STAFFELN_RETENTION_MAX": ""}},
		{
			text: key + "backup_metadata_key = k", differs: map[string]string{"STAFFELN_BACKUP_METADATA_KEY": "k", "STAFFELN_RETENTION_MIN": "", "STAFFELN_RETENTION_MAX": ""},
			refused: map[string]string{"STAFFELN_RETENTION_METADATA_KEY": `"k" is BACKUP_METADATA_KEY too; want two different names`},
		},
		{text: "[conductor]\nretention_time = 1y6mon", differs: map[string]string{"STAFFELN_RETENTION_TIME": "1y6mon", "STAFFELN_RETENTION_MIN": "1y6mon", "STAFFELN_RETENTION_MAX": "1y6mon"}},
		{text: key + "retention_time = 30 days", differs: map[string]string{"STAFFELN_RETENTION_METADATA_KEY": "k", "STAFFELN_RETENTION_MIN": "", "STAFFELN_RETENTION_MAX": ""}, refused: map[string]string{"STAFFELN_RETENTION_TIME": `parse period "30 days": want numbers with units in this order: y mon w d h min s, such as 2w3d`}},
		{text: key + "retention_time = 30", differs: map[string]string{"STAFFELN_RETENTION_METADATA_KEY": "k", "STAFFELN_RETENTION_MIN": "", "STAFFELN_RETENTION_MAX": ""}, refused: map[string]string{"STAFFELN_RETENTION_TIME": `parse period "30": want numbers with units in this order: y mon w d h min s, such as 2w3d`}},
		{text: key + "retention_time = 0s", differs: map[string]string{"STAFFELN_RETENTION_METADATA_KEY": "k", "STAFFELN_RETENTION_MIN": "", "STAFFELN_RETENTION_MAX": ""}, refused: map[string]string{"STAFFELN_RETENTION_TIME": "0s: want a period above zero"}},
		{text: "[conductor]\nretention_service_period = 60", differs: map[string]string{"STAFFELN_RETENTION_SERVICE_PERIOD": "60"}},
		{text: "[conductor]\nreport_period = 302400", differs: map[string]string{"STAFFELN_REPORT_PERIOD": "302400"}},
		{text: "[conductor]\nreport_period = 604800", differs: map[string]string{"STAFFELN_REPORT_PERIOD": "604800", "STAFFELN_RETENTION_SHORTEN_DELAY": "1209600"}},
		{text: "[conductor]\nreport_period = 599", refused: map[string]string{"STAFFELN_REPORT_PERIOD": "9min59s: want at least 10min, or ALLOW_SHORT_PERIODS=true"}},
		{text: "[openstack]\nretry_timeout = 60\nmax_retry_interval = 5\nskip_retry_codes = 404, 403,", differs: map[string]string{"STAFFELN_OPENSTACK_RETRY_TIMEOUT": "60", "STAFFELN_OPENSTACK_MAX_RETRY_INTERVAL": "5", "STAFFELN_OPENSTACK_SKIP_RETRY_CODES": "404,403"}},
		{text: "[openstack]\nmax_retry_interval = 0", refused: map[string]string{"STAFFELN_OPENSTACK_MAX_RETRY_INTERVAL": "0s: want more than 0"}},
		{text: "[openstack]\nskip_retry_codes = 200", refused: map[string]string{"STAFFELN_OPENSTACK_SKIP_RETRY_CODES": "200: want HTTP status codes from 400 to 599"}},
		{text: mails, differs: map[string]string{"STAFFELN_SENDER_EMAIL": "s@example.org"}},
		{text: mails + "receiver = a@example.org,\n  b@example.org", differs: map[string]string{"STAFFELN_SENDER_EMAIL": "s@example.org", "STAFFELN_RECEIVER": "a@example.org,b@example.org"}},
		{text: mails + "project_receiver_domain = example.org\nsender_pwd = 'it''s'", differs: map[string]string{"STAFFELN_SENDER_EMAIL": "s@example.org", "STAFFELN_PROJECT_RECEIVER_DOMAIN": "example.org", "STAFFELN_SENDER_PWD": "it''s"}},
		{text: mails + "smtp_server_domain = ::1\nsmtp_server_port = 587", differs: map[string]string{"STAFFELN_SENDER_EMAIL": "s@example.org", "STAFFELN_SMTP_SERVER": "[::1]:587"}},
		{text: "[notification]\nsmtp_server_port = smtp", refused: map[string]string{"STAFFELN_SMTP_SERVER": "want a port from 1 to 65535"}},
		{text: "[notification]\nreceiver = a@example.org", refused: map[string]string{"STAFFELN_RECEIVER": "STAFFELN_SENDER_EMAIL: missing; required where there are RECEIVER, OPERATOR_RECEIVER, PROJECT_RECEIVER_DOMAIN or SENDER_PWD"}},
		{text: "[api]\nhost = 10.0.0.1\nport = 80", differs: map[string]string{"STAFFELN_API_LISTEN": "10.0.0.1:80"}},
		{text: "[api]\nenabled_ssl = Yes\nssl_cert_file = /c\nssl_key_file = /k", differs: map[string]string{"STAFFELN_API_TLS_CERT_FILE": "/c", "STAFFELN_API_TLS_KEY_FILE": "/k"}},
		{text: "[api]\nenabled_ssl = true\nssl_cert_file = /c", refused: map[string]string{"STAFFELN_API_TLS_CERT_FILE": "STAFFELN_API_TLS_KEY_FILE: empty: want one, since the certificate's file is given"}},
		{text: "[api]\nssl_cert_file = /c", remarks: []string{"staffeln.conf:2: [api] ssl_cert_file: no effect beside the other options, here as before"}},
		{text: "[DEFAULT]\ndebug = true\nuse_journal = 1", differs: map[string]string{"STAFFELN_LOG_LEVEL": "debug"}, remarks: []string{"staffeln.conf:3: [DEFAULT] use_journal: no successor: " + inLog}},
		{text: "[DEFAULT]\nretention_time = 1y", remarks: []string{"staffeln.conf:2: [DEFAULT] retention_time: unknown: the Python program reads retention_time only in [conductor], so it had no effect, and has none here"}},
		{text: "[conductor]\nnonsense = geheim", remarks: []string{"staffeln.conf:2: [conductor] nonsense: unknown: no option of the Python program; left out"}},
		{text: "[conductor]\nfull_backup_depth = 3\nfull_backup_depth = 4", differs: map[string]string{"STAFFELN_FULL_BACKUP_DEPTH": "4"}, remarks: []string{"staffeln.conf:3: [conductor] full_backup_depth: set more than once: the last one counts, as before"}},
		{text: "[conductor]\nretention_time = $made", refused: map[string]string{"STAFFELN_RETENTION_TIME": "oslo.config replaces $name by another option: write the value out, or $$ for a dollar sign"}, differs: map[string]string{"STAFFELN_RETENTION_MIN": "", "STAFFELN_RETENTION_MAX": ""}},
	} {
		got := converted(t, c.text)
		want := maps.Clone(ofDefaults)
		for name, value := range c.differs {
			if want[name] = value; value == "" {
				delete(want, name)
			}
		}
		for name := range c.refused {
			delete(want, name)
		}
		assert.Equal(t, want, got.accepted(), c.text)
		if assert.Len(t, got.refused(), len(c.refused), c.text) && len(c.refused) > 0 {
			assert.Equal(t, c.refused, got.refused(), c.text)
		}
		assert.ElementsMatch(t, c.remarks, got.remarks(), c.text)
	}
}

func TestOptionsWithoutSuccessorAreNamedWithTheReason(t *testing.T) {
	for _, o := range options {
		if o.without == "" {
			continue
		}
		section, name, _ := strings.Cut(o.name, ".")
		c := converted(t, fmt.Sprintf("[%s]\n%s = geheim", section, name))
		assert.Equal(t, ofDefaults, c.accepted(), o.name)
		assert.Equal(t, []string{fmt.Sprintf("staffeln.conf:2: [%s] %s: no successor: %s", section, name, o.without)}, c.remarks())
	}
	c := converted(t, "[database]\nmax_pool_size = 5")
	assert.Equal(t, []string{"staffeln.conf:2: [database] max_pool_size: no successor: " + inOldDatabase}, c.remarks())
}

func TestSecretsAreInTheFileAndNowhereElse(t *testing.T) {
	c := converted(t, "[database]\nconnection = mysql://a:geheim@h/d\n[notification]\nsender_email = s@example.org\nsender_pwd = geheim$$1 #")
	cloud, unread := ParseOpenrc("OS_PASSWORD='geheim 2'\nexport OS_TOKEN=geheim\nexport OS_CACERT=$geheim")
	rc := ConvertCloud("openrc", cloud, unread)
	rc.CheckCloud("openrc")
	lines, toCorrect := Report(*c, rc)
	assert.Positive(t, toCorrect)
	assert.NotContains(t, strings.Join(lines, "\n"), "geheim")
	file := File(*c, rc)
	assert.Equal(t, 2, strings.Count(file, "geheim"), file)
	assert.Contains(t, file, "\nSTAFFELN_SENDER_PWD='geheim$1 #'\n")
	assert.Contains(t, file, "\nOS_PASSWORD='geheim 2'\n")
	assert.Contains(t, file, "\n# OS_TOKEN= (a secret)\n")

	c = converted(t, "[notification]\nsender_email = s@example.org\nsender_pwd = gehe\n  im")
	assert.Equal(t, map[string]string{"STAFFELN_SENDER_PWD": "contains a control character"}, c.refused())
	assert.NotContains(t, File(*c), "gehe")
	assert.True(t, slices.ContainsFunc(options, func(o option) bool { return o.name == "notification.sender_pwd" && o.secret }))
}
