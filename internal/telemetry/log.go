package telemetry

import (
	"fmt"
	"io"

	"github.com/rs/zerolog"
)

// Config is the log configuration of a process.
type Config struct {
	LogLevel  Level  `split_words:"true" default:"info" desc:"Lowest level that is logged: debug, info (a state changed), warn (it will be tried again) or error (somebody must take action). debug logs a line for every task and request."`
	LogFormat Format `split_words:"true" default:"json" desc:"Format of a line: json (one object each) or console (for a terminal)."`
}

// A Level is the lowest level that is logged.
type Level string

// UnmarshalText reads debug, info, warn or error.
func (l *Level) UnmarshalText(text []byte) error {
	switch s := string(text); s {
	case "debug", "info", "warn", "error":
		*l = Level(s)
		return nil
	}
	return fmt.Errorf("want debug, info, warn or error")
}

// A Format is the format of log lines.
type Format string

// The formats of the log.
const (
	JSON    Format = "json"
	Console Format = "console"
)

// UnmarshalText reads json or console.
func (f *Format) UnmarshalText(text []byte) error {
	switch s := Format(text); s {
	case JSON, Console:
		*f = s
		return nil
	}
	return fmt.Errorf("want json or console")
}

// New returns the logger of one process, which writes to w. Each line has the process (`scheduler`, `worker`, ...), the
// program version and the time (UTC, RFC 3339, milliseconds). Each line is one call of w.Write; w need not be safe for
// concurrent use.
func New(cfg Config, w io.Writer, process, version string) zerolog.Logger {
	level, err := zerolog.ParseLevel(string(cfg.LogLevel))
	if err != nil || cfg.LogLevel == "" {
		level = zerolog.InfoLevel // a Config that was not read from the environment
	}
	if cfg.LogFormat == Console {
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: "2006-01-02 15:04:05.000", NoColor: true}
	}
	return zerolog.New(zerolog.SyncWriter(w)).Level(level).
		Hook(timestamp{}).
		With().Str("process", process).Str("version", version).Logger()
}

// timestamp is a hook that adds the time. zerolog's own timestamp depends on global variables.
type timestamp struct{}

// Run adds the time to a line.
func (timestamp) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	e.Str(zerolog.TimestampFieldName, logTime())
}

// IDs are the IDs that a log line is about: record_id, volume_id, project_id and backup_id. Empty ones are not written.
// EmbedObject of an event takes them; that of a logger's context would write broken JSON if all are empty.
type IDs struct {
	RecordID, VolumeID, ProjectID, BackupID string
	Volume, Project                         string // the names, where they are known
}

// MarshalZerologObject adds the IDs to a line.
func (i IDs) MarshalZerologObject(e *zerolog.Event) {
	for _, one := range []struct{ name, id string }{
		{"record_id", i.RecordID}, {"volume_id", i.VolumeID}, {"volume", i.Volume}, {"project_id", i.ProjectID}, {"project", i.Project}, {"backup_id", i.BackupID},
	} {
		if one.id != "" {
			e.Str(one.name, one.id)
		}
	}
}
