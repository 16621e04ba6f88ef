package telemetry

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

func TestConditionIsLoggedAtBeginAndEnd(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := zerolog.New(&out).Level(zerolog.InfoLevel)
	var c Conditions
	c.Over(&log, "list").Msg("never began")
	for range 100 {
		c.Met(&log, zerolog.WarnLevel, "list", "503").Str("status", "creating").Msg("not listed")
	}
	c.Met(&log, zerolog.ErrorLevel, "list", "403").Msg("not listed")
	c.Met(&log, zerolog.WarnLevel, "other", "").Msg("another condition")
	require.True(t, c.Holds("list"))
	c.Over(&log, "list").Msg("listed again")
	c.Over(&log, "list").Msg("listed again")
	require.False(t, c.Holds("list"))
	c.Met(&log, zerolog.WarnLevel, "list", "503").Msg("not listed")

	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 5, out.String())
	require.Contains(t, lines[0], `"level":"warn"`)
	require.Contains(t, lines[1], `"level":"error"`)
	require.Contains(t, lines[2], "another condition")
	require.Contains(t, lines[3], `"times":101`)
	require.Contains(t, lines[4], "not listed")
}

func TestLoggedFormsOfConditionAreBounded(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := zerolog.New(&out).Level(zerolog.InfoLevel)
	var c Conditions
	for i := range 1000 {
		c.Met(&log, zerolog.WarnLevel, "list", strings.Repeat("x", i)).Msg("not listed")
	}
	require.Equal(t, maxForms, strings.Count(out.String(), "\n"))
}
