package telemetry

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNew_EachLineHasProcessVersionAndTime(t *testing.T) {
	var out bytes.Buffer
	log := New(Config{LogLevel: "warn", LogFormat: JSON}, &out, "worker", "1.2.3")
	log.Info().Msg("not written")
	log.Warn().Str("volume", "v").Msg("written")
	var line map[string]string
	require.NoError(t, json.Unmarshal(out.Bytes(), &line), "one line")
	require.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`, line["time"])
	delete(line, "time")
	require.Equal(t, map[string]string{
		"level": "warn", "process": "worker", "version": "1.2.3", "volume": "v", "message": "written",
	}, line)
}

func TestNew_ConsoleFormat(t *testing.T) {
	var out bytes.Buffer
	log := New(Config{LogFormat: Console}, &out, "api", "1")
	log.Debug().Msg("info is the default")
	log.Info().Str("check", "database").Msg("ready again")
	require.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INF ready again check=database process=api version=1\n$`, out.String())
}

func TestConfig_RejectsUnknownLevelAndFormat(t *testing.T) {
	require.EqualError(t, new(Level).UnmarshalText([]byte("INFO")), "want debug, info, warn or error")
	require.EqualError(t, new(Format).UnmarshalText([]byte("")), "want json or console")
}
