package telemetry

import (
	"fmt"
	"io"

	"github.com/rs/zerolog"
)

// Config says how a process writes its log.
type Config struct {
	LogLevel  Level  `split_words:"true" default:"info" desc:"Least level that is written: debug, info (a state changed), warn (it will be tried again) or error (somebody must act). debug writes a line for every task and request."`
	LogFormat Format `split_words:"true" default:"json" desc:"Form of a line: json, one object each, or console, for people at a terminal."`
}

// A Level is the least level of lines that are written.
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

// A Format is how lines are written.
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

// New answers the log of one process, written to w. Each line carries the process (`scheduler`, `worker`, ...), the
// version of the program and the time: UTC, RFC 3339, to the millisecond. Lines are written whole, one call of
// w.Write each; w need not be safe for concurrent use on its own.
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

// timestamp writes the time by a hook: zerolog's own timestamp is shaped by variables of the whole program.
type timestamp struct{}

// Run adds the time to one line.
func (timestamp) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	e.Str(zerolog.TimestampFieldName, logTime())
}
