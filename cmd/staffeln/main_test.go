package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"staffeln/cli"
	"staffeln/internal/config"
)

// command runs a command line and returns what it printed.
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
		require.Equal(t, cli.ExitUsage, cli.Run(t.Context(), newRoot(), args), args)
	}
	require.Zero(t, cli.Run(t.Context(), newRoot(), []string{"version"}))
	t.Setenv("STAFFELN_DATABASE_URL", "postgres://127.0.0.1:1/nowhere")
	require.Equal(t, cli.ExitFailed, cli.Run(t.Context(), newRoot(), []string{"migrate", "status"}))
}

func TestProcess_ReportsFaultsOfCloudAndConfigurationTogether(t *testing.T) {
	t.Setenv("STAFFELN_DATABASE_URL", "postgres://staffeln:geheim@db/staffeln")
	t.Setenv("OS_CLOUD", "")
	t.Setenv("OS_AUTH_URL", "")
	_, _, err := command(t, "worker")
	require.ErrorContains(t, err, "configuration refused")
	require.ErrorContains(t, err, "STAFFELN_REDIS_URL: missing")
	require.ErrorContains(t, err, "OS_AUTH_URL")
}

func TestHelp_HasASentenceTheVariablesAndAnExample(t *testing.T) {
	for _, p := range config.Processes() {
		out, _, err := command(t, p.Name, "--help")
		require.NoError(t, err)
		require.Regexp(t, `^[A-Z].*\.\n`, out, p.Name)
		require.Contains(t, out, "STAFFELN_LOG_LEVEL")
		require.Contains(t, out, "Examples:\n")
		require.Equal(t, p.Cloud, strings.Contains(out, "OS_CLOUD"), p.Name)
	}
	var walkAll func(c *cobra.Command, named bool)
	walkAll = func(c *cobra.Command, named bool) {
		out, _, err := command(t, append(strings.Fields(c.CommandPath())[1:], "--help")...)
		require.NoError(t, err)
		require.Regexp(t, `^[A-Z].*\.\n`, out, c.CommandPath())
		require.Contains(t, out, "Examples:\n  ", c.CommandPath())
		named = strings.Contains(out, "STAFFELN_DATABASE_URL ") || strings.Contains(out, "reads no variables") ||
			strings.Contains(out, "STAFFELN_LOG_LEVEL ") || named // by the command above
		require.True(t, named || !c.HasParent(), "%s: which variables?", c.CommandPath())
		for _, sub := range c.Commands() {
			walkAll(sub, named)
		}
	}
	walkAll(newRoot(), false)
	out, _, err := command(t, "version")
	require.NoError(t, err)
	require.Regexp(t, `^staffeln \S+ \(go`, out)
}
