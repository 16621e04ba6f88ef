package python

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"staffeln/backup"
)

// An option of the Python program: its default, and why it has no successor if it has none.
type option struct {
	name     string // section.name
	fallback string // the default; "" if it has none
	secret   bool   // never printed
	without  string // why it has no successor
}

// options are all options of the Python program that are its own, and those of oslo.log that operators set.
var options = []option{
	{name: "conductor.backup_workers", fallback: "1", without: "run as many workers as you like; STAFFELN_MAX_BACKUPS_IN_PROGRESS decides how many backups are made at a time"},
	{name: "conductor.rotation_workers", fallback: "1", without: "workers carry out removals, too; STAFFELN_MAX_REMOVALS_IN_PROGRESS decides how many at a time"},
	{name: "conductor.backup_service_period", fallback: "1800"},
	{name: "conductor.backup_min_interval", fallback: "1800"},
	{name: "conductor.report_period", fallback: "86400"},
	{name: "conductor.backup_cycle_timout", fallback: "5min"},
	{name: "conductor.backup_metadata_key"},
	{name: "conductor.retention_metadata_key"},
	{name: "conductor.full_backup_depth", fallback: "2"},
	{name: "conductor.retention_service_period", fallback: "1200"},
	{name: "conductor.retention_time", fallback: "2w3d"},
	{name: "openstack.retry_timeout", fallback: "300"},
	{name: "openstack.max_retry_interval", fallback: "30"},
	{name: "openstack.skip_retry_codes", fallback: "404"},
	{name: "coordination.backend_url", secret: true, without: "nothing to coordinate with: leadership is a lock in Postgres, tasks are in Redis"},
	{name: "database.connection", secret: true, without: "this program has a Postgres database of its own, STAFFELN_DATABASE_URL; the old database is not changed"},
	{name: "database.mysql_engine", fallback: "InnoDB", without: inOldDatabase},
	{name: "api.host", fallback: "0.0.0.0"},
	{name: "api.port", fallback: "8808"},
	{name: "api.enabled_ssl", fallback: "false"},
	{name: "api.ssl_key_file"},
	{name: "api.ssl_cert_file"},
	{name: "notification.receiver"},
	{name: "notification.project_receiver_domain"},
	{name: "notification.sender_email"},
	{name: "notification.sender_pwd", secret: true},
	{name: "notification.smtp_server_domain", fallback: "localhost"},
	{name: "notification.smtp_server_port", fallback: "25"},
	{name: "DEFAULT.debug", fallback: "false"},
	{name: "DEFAULT.log_file", without: inLog},
	{name: "DEFAULT.log_dir", without: inLog},
	{name: "DEFAULT.log_config_append", without: inLog},
	{name: "DEFAULT.default_log_levels", without: inLog},
	{name: "DEFAULT.use_journal", without: inLog},
	{name: "DEFAULT.use_syslog", without: inLog},
	{name: "DEFAULT.use_stderr", without: inLog},
	{name: "DEFAULT.use_json", without: inLog},
	{name: "DEFAULT.state_path", without: "no process keeps files"},
}

const (
	inOldDatabase = "an option of the connection to the old database, which this program does not have"
	inLog         = "the log is lines of JSON on standard error, which systemd's journal or the container engine keeps"
)

// A successor is a variable of this program, and how its value follows from options. An option without a value is "".
type successor struct {
	variable string
	of       []string
	secret   bool
	value    func(values) (value string, given bool, err error)
	note     func(values) string // what an operator should know; nil: nothing
}

// values are the options that are set, and the defaults of the others that have one.
type values map[string]string

var successors = []successor{
	{variable: "STAFFELN_LOG_LEVEL", of: []string{"DEFAULT.debug"}, value: func(v values) (string, bool, error) {
		on, err := boolean(v["DEFAULT.debug"])
		return map[bool]string{false: "info", true: "debug"}[on], true, err
	}},
	{variable: "STAFFELN_BACKUP_METADATA_KEY", of: []string{"conductor.backup_metadata_key"}, value: func(v values) (string, bool, error) {
		key, set := v["conductor.backup_metadata_key"]
		if set && key == "" {
			return "", true, errors.New("empty: the Python program then backed up no server, and this program would back up all")
		}
		return key, true, nil
	}, note: func(v values) string {
		if v["conductor.backup_metadata_key"] == "" {
			return "no key: the volumes of every server are backed up, as before"
		}
		return ""
	}},
	{variable: "STAFFELN_RETENTION_METADATA_KEY", of: []string{"conductor.retention_metadata_key"}, value: text("conductor.retention_metadata_key")},
	{variable: "STAFFELN_RETENTION_MIN", of: []string{"conductor.retention_metadata_key"}, value: retentionWithoutKey, note: func(values) string {
		return "without a key, metadata could not change the retention. Least and longest retention by metadata keep that: remove both lines to let metadata set it"
	}},
	{variable: "STAFFELN_RETENTION_MAX", of: []string{"conductor.retention_metadata_key"}, value: retentionWithoutKey},
	{variable: "STAFFELN_BACKUP_SERVICE_PERIOD", of: []string{"conductor.backup_service_period"}, value: number("conductor.backup_service_period")},
	{variable: "STAFFELN_BACKUP_MIN_INTERVAL", of: []string{"conductor.backup_min_interval"}, value: number("conductor.backup_min_interval")},
	{variable: "STAFFELN_FULL_BACKUP_DEPTH", of: []string{"conductor.full_backup_depth"}, value: number("conductor.full_backup_depth")},
	{variable: "STAFFELN_BACKUP_CYCLE_TIMEOUT", of: []string{"conductor.backup_cycle_timout"}, value: period("conductor.backup_cycle_timout"), note: func(v values) string {
		if v["conductor.backup_cycle_timout"] == "5min" {
			return "the time limit of each backup now, not of a cycle: one that takes longer is reported as a failure, though it is kept if it ends well. This program's own default is 6h"
		}
		return ""
	}},
	{variable: "STAFFELN_RETENTION_TIME", of: []string{"conductor.retention_time"}, value: period("conductor.retention_time")},
	{variable: "STAFFELN_RETENTION_SERVICE_PERIOD", of: []string{"conductor.retention_service_period"}, value: number("conductor.retention_service_period")},
	{variable: "STAFFELN_REPORT_PERIOD", of: []string{"conductor.report_period"}, value: number("conductor.report_period")},
	{variable: "STAFFELN_RETENTION_SHORTEN_DELAY", of: []string{"conductor.report_period"}, value: shortenDelay, note: func(values) string {
		return "twice the report period, so that people are informed of a shorter retention before anything is removed"
	}},
	{variable: "STAFFELN_OPENSTACK_RETRY_TIMEOUT", of: []string{"openstack.retry_timeout"}, value: number("openstack.retry_timeout")},
	{variable: "STAFFELN_OPENSTACK_MAX_RETRY_INTERVAL", of: []string{"openstack.max_retry_interval"}, value: number("openstack.max_retry_interval")},
	{variable: "STAFFELN_OPENSTACK_SKIP_RETRY_CODES", of: []string{"openstack.skip_retry_codes"}, value: list("openstack.skip_retry_codes")},
	{variable: "STAFFELN_RECEIVER", of: []string{"notification.receiver"}, value: list("notification.receiver")},
	{variable: "STAFFELN_PROJECT_RECEIVER_DOMAIN", of: []string{"notification.project_receiver_domain"}, value: text("notification.project_receiver_domain")},
	{variable: "STAFFELN_SENDER_EMAIL", of: []string{"notification.sender_email"}, value: text("notification.sender_email"), note: func(values) string {
		return "the certificate of the mail server is verified: if it is of a CA of yours, name that in STAFFELN_SMTP_CA_FILE"
	}},
	{variable: "STAFFELN_SENDER_PWD", of: []string{"notification.sender_pwd"}, secret: true, value: text("notification.sender_pwd")},
	{variable: "STAFFELN_SMTP_SERVER", of: []string{"notification.smtp_server_domain", "notification.smtp_server_port"}, value: address("notification.smtp_server_domain", "notification.smtp_server_port")},
	{variable: "STAFFELN_API_LISTEN", of: []string{"api.host", "api.port"}, value: address("api.host", "api.port")},
	{variable: "STAFFELN_API_TLS_CERT_FILE", of: []string{"api.ssl_cert_file", "api.enabled_ssl"}, value: withTLS("api.ssl_cert_file"), note: func(values) string {
		return "the api's user must be able to read it: with systemd a LoadCredential= for it and the key in a drop-in"
	}},
	{variable: "STAFFELN_API_TLS_KEY_FILE", of: []string{"api.ssl_key_file", "api.enabled_ssl"}, value: withTLS("api.ssl_key_file")},
}

func text(name string) func(values) (string, bool, error) {
	return func(v values) (string, bool, error) { return v[name], v[name] != "", nil }
}

func number(name string) func(values) (string, bool, error) {
	return func(v values) (string, bool, error) {
		n, err := strconv.ParseInt(strings.TrimSpace(v[name]), 10, 64)
		if err != nil {
			return v[name], true, errors.New("want a whole number, as the Python program does")
		}
		return strconv.FormatInt(n, 10), true, nil
	}
}

// period accepts no number without a unit: it was an error before, and would be seconds now.
func period(name string) func(values) (string, bool, error) {
	return func(v values) (string, bool, error) {
		_, err := backup.ParsePeriod(v[name])
		return v[name], true, err
	}
}

func list(name string) func(values) (string, bool, error) {
	return func(v values) (string, bool, error) {
		var all []string
		for one := range strings.SplitSeq(v[name], ",") {
			if one = strings.TrimSpace(one); one != "" {
				all = append(all, one)
			}
		}
		return strings.Join(all, ","), len(all) > 0, nil
	}
}

func address(host, port string) func(values) (string, bool, error) {
	return func(v values) (string, bool, error) {
		joined := net.JoinHostPort(strings.Trim(v[host], "[]"), v[port])
		if n, err := strconv.ParseUint(v[port], 10, 16); err != nil || n == 0 {
			return joined, true, errors.New("want a port from 1 to 65535")
		}
		return joined, true, nil
	}
}

func withTLS(file string) func(values) (string, bool, error) {
	return func(v values) (string, bool, error) {
		on, err := boolean(v["api.enabled_ssl"])
		return v[file], err != nil || on && v[file] != "", err
	}
}

func retentionWithoutKey(v values) (string, bool, error) {
	_, _, err := period("conductor.retention_time")(v)
	return v["conductor.retention_time"], err == nil && v["conductor.retention_metadata_key"] == "", nil
}

// shortenDelay is only given where the default of this program, 7d, would be refused beside the report period.
func shortenDelay(v values) (string, bool, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(v["conductor.report_period"]), 10, 32)
	return strconv.FormatInt(2*n, 10), err == nil && 2*n > 7*86400, nil
}

func boolean(value string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "true", "1", "on", "yes":
		return true, nil
	case "false", "0", "off", "no":
		return false, nil
	}
	return false, fmt.Errorf("%.40q: want true or false", value)
}
