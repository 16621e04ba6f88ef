package main

import (
	"bytes"
	"strings"
	"testing"

	"staffeln/internal/config"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// command runs a command line and answers what it printed.
func command(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, fault bytes.Buffer
	root := newRoot()
	root.SetOut(&out)
	root.SetErr(&fault)
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return out.String(), fault.String(), err
}

func TestRun_ExitCodes(t *testing.T) {
	for _, args := range [][]string{{"api", "--nonsense"}, {"nonsense"}, {"api", "argument"}, {"migrate"}, {"worker"}, {"scheduler"}, {"all"}, {"api"}} {
		require.Equal(t, exitConfig, run(t.Context(), args), args)
	}
	require.Zero(t, run(t.Context(), []string{"version"}))
	t.Setenv("STAFFELN_DATABASE_URL", "postgres://127.0.0.1:1/nowhere")
	require.Equal(t, exitFailed, run(t.Context(), []string{"migrate", "status"}))
}

func TestProcess_TellsTheCloudsFaultsWithTheOthers(t *testing.T) {
	t.Setenv("STAFFELN_DATABASE_URL", "postgres://staffeln:geheim@db/staffeln")
	t.Setenv("OS_CLOUD", "")
	t.Setenv("OS_AUTH_URL", "")
	_, _, err := command(t, "worker")
	require.ErrorContains(t, err, "nothing was started")
	require.ErrorContains(t, err, "STAFFELN_REDIS_URL: missing")
	require.ErrorContains(t, err, "OS_AUTH_URL")
}

func TestHelp_SaysWhatItDoesWhatItReadsAndAnExample(t *testing.T) {
	for _, p := range config.Processes() {
		out, _, err := command(t, p.Name, "--help")
		require.NoError(t, err)
		require.Regexp(t, `^[A-Z].*\.\n`, out, p.Name)
		require.Contains(t, out, "STAFFELN_LOG_LEVEL")
		require.Contains(t, out, "Examples:\n")
		require.Equal(t, p.Cloud, strings.Contains(out, "OS_CLOUD"), p.Name)
	}
	var walkAll func(c *cobra.Command, told bool)
	walkAll = func(c *cobra.Command, told bool) {
		out, _, err := command(t, append(strings.Fields(c.CommandPath())[1:], "--help")...)
		require.NoError(t, err)
		require.Regexp(t, `^[A-Z].*\.\n`, out, c.CommandPath())
		require.Contains(t, out, "Examples:\n  ", c.CommandPath())
		told = strings.Contains(out, "STAFFELN_DATABASE_URL ") || strings.Contains(out, "reads no variables") ||
			strings.Contains(out, "STAFFELN_LOG_LEVEL ") || told // by the command above
		require.True(t, told || !c.HasParent(), "%s: which variables?", c.CommandPath())
		for _, sub := range c.Commands() {
			walkAll(sub, told)
		}
	}
	walkAll(newRoot(), false)
	out, _, err := command(t, "version")
	require.NoError(t, err)
	require.Regexp(t, `^staffeln \S+ \(go`, out)
}
