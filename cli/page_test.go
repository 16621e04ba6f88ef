package cli

import (
	"bytes"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/view"
)

var pages = []page{statusPage{}, backupsPage{}, new(explainPage), new(retentionPage), auditPage{}, deletionsPage{}}

func TestPages_EveryFieldOfTheirJSONIsDescribed(t *testing.T) {
	var walk func(reflect.Type)
	walk = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || of == reflect.TypeFor[time.Time]() {
			return
		}
		for field := range of.Fields() {
			if !field.IsExported() && !field.Anonymous {
				continue // not part of the JSON
			}
			if !field.Anonymous {
				require.Regexp(t, `^[a-z]+(_[a-z]+)*$`, field.Tag.Get("json"), "%s.%s", of, field.Name)
				require.NotEmpty(t, field.Tag.Get("desc"), "%s.%s", of, field.Name)
			}
			walk(field.Type)
		}
	}
	for _, v := range pages {
		walk(reflect.TypeOf(v))
	}
}

func TestPages_NeedOnlyTheDatabase(t *testing.T) {
	for _, args := range [][]string{{"status"}, {"backups"}, {"explain", "data"}, {"retention", "plan"}, {"audit"}, {"audit", "deletions"}} {
		out, _, err := command(t, append(args, "--help")...)
		require.NoError(t, err)
		for _, want := range []string{"STAFFELN_DATABASE_URL", "STAFFELN_RETENTION_TIME", "Examples:\n", "--json", "With --json", "planned_at"} {
			require.Contains(t, out, want, args)
		}
		require.NotContains(t, out, "REDIS_URL")
		require.NotContains(t, out, "OS_CLOUD")
		require.Equal(t, ExitUsage, exitCode(t, args...), "no database is given")
	}
	t.Setenv("STAFFELN_DATABASE_URL", "postgres://127.0.0.1:1/nowhere")
	require.Equal(t, ExitFailed, exitCode(t, "status"))
	require.Equal(t, ExitUsage, exitCode(t, "retention"))
	require.Equal(t, ExitUsage, exitCode(t, "backups", "--limit", "-1"))
}

func TestHelp_EverySubcommandHasASentenceAndAnExample(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			require.Regexp(t, `^[A-Z].*\.$`, sub.Short, sub.CommandPath())
			require.Contains(t, sub.Example, "staffeln ", sub.CommandPath())
			walk(sub)
		}
	}
	walk(newRoot())
}

func TestCompletion(t *testing.T) {
	help, _, err := command(t, "--help")
	require.NoError(t, err)
	require.Contains(t, help, "  completion ")
	for _, shell := range []string{"bash", "zsh", "fish"} {
		out, _, err := command(t, "completion", shell)
		require.NoError(t, err)
		require.Contains(t, out, "staffeln", shell)
		long, _, err := command(t, "completion", "--help")
		require.NoError(t, err)
		require.Contains(t, long, "staffeln completion "+shell)
		if program, err := exec.LookPath(shell); err == nil {
			check := exec.CommandContext(t.Context(), program, "-n")
			check.Stdin = strings.NewReader(out)
			output, err := check.CombinedOutput()
			require.NoError(t, err, "%s: %s", shell, output)
		}
	}
	require.Equal(t, ExitUsage, exitCode(t, "completion"))
	out, _, err := command(t, "__complete", "backups", "--state", "")
	require.NoError(t, err)
	require.Contains(t, out, "undeletable\n")
	out, _, err = command(t, "__complete", "ret")
	require.NoError(t, err)
	require.Contains(t, out, "retention\t")
}

func TestRenderer_ColoursAddNothingButColours(t *testing.T) {
	at := time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC)
	v := statusPage{view.Status{
		AsOf: view.AsOf{At: at, PlannedAt: &at, Warnings: []view.Warning{{Code: "no_plan", Words: "Something is wrong."}}}, Volumes: view.Counts{Late: 1},
		Listed: []view.ListedVolume{{Object: view.Object{VolumeNames: view.VolumeNames{VolumeID: "v"}, ProjectID: strings.Repeat("long", 30)}, VolumeProtection: view.VolumeProtection{Protection: backup.Late}}},
		Stuck:  []view.InProgress{{Object: view.Object{VolumeNames: view.VolumeNames{VolumeID: "v"}}, State: string(backup.Overdue), Reason: view.ReasonOf(backup.DeadlinePassed), Since: &at}},
		Leader: view.Leader{Runs: []view.Run{{Name: "plan", Period: 60, Late: true}}},
	}}
	plain, colours := newRenderer(false), newRenderer(true)
	v.render(plain)
	v.render(colours)
	coloured := colours.String()
	require.Contains(t, coloured, "\x1b[31m1\x1b[0m")
	for _, colour := range []string{strong, faint, bad, good, warning} {
		coloured = strings.ReplaceAll(coloured, "\x1b["+colour+"m", "")
	}
	require.Equal(t, plain.String(), strings.ReplaceAll(coloured, "\x1b[0m", ""))
	require.Contains(t, plain.String(), "by the plan of 2026-03-06 12:00")
	require.Contains(t, plain.String(), "No scheduler has been active yet.")
	for line := range strings.Lines(plain.String()) {
		require.LessOrEqual(t, utf8.RuneCountInString(line), minWidth+1, line)
	}
	file, err := os.Create(t.TempDir() + "/out")
	require.NoError(t, err)
	require.False(t, useColours(file), "a file is no terminal")
	require.NoError(t, file.Close())
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 999 * time.Millisecond: "0s", 10 * time.Second: "10s", 90 * time.Second: "1min30s", time.Hour + time.Second: "1h",
		26*time.Hour + 59*time.Minute: "1d2h", 400 * 24 * time.Hour: "400d", -time.Hour: "0s",
	} {
		require.Equal(t, want, backup.Span(d), d)
	}
}

// A plan that never came is late only when its scheduler has led for a while.
func TestLeading(t *testing.T) {
	now := time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC)
	set := backup.Settings{BackupServicePeriod: 1800e9, PollPeriod: 30e9, RetentionServicePeriod: 1200e9, ReconcilePeriod: 6 * 3600e9}
	late := func(l db.Leader) (names []string) {
		v, warnings := view.Leading(now, l, nil, set)
		for _, b := range v.Runs {
			if b.Late {
				names = append(names, b.Name)
			}
		}
		require.GreaterOrEqual(t, len(warnings), len(names))
		return names
	}
	ago := func(d time.Duration) *time.Time { return new(now.Add(-d)) }
	require.Empty(t, late(db.Leader{}), "nobody ever led")
	require.Empty(t, late(db.Leader{Leads: true, Since: ago(time.Minute)}))
	require.Equal(t, []string{"plan", "dispatch", "retention"}, late(db.Leader{Leads: true, Since: ago(2 * time.Hour)}))
	all := db.Leader{Leads: true, Since: ago(24 * time.Hour), LastRuns: db.LastRuns{
		PlannedAt: ago(time.Hour), DispatchedAt: ago(61 * time.Second), RetentionAt: ago(time.Minute), ReconciledAt: ago(12 * time.Hour),
	}}
	require.Equal(t, []string{"dispatch"}, late(all), "two periods are not late")
}

func newRoot() *cobra.Command {
	return Root(&cobra.Command{Use: "staffeln"}, append(Commands(), VersionCommand("test"))...)
}

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

func exitCode(t *testing.T, args ...string) int {
	t.Helper()
	return Run(t.Context(), newRoot(), args)
}
