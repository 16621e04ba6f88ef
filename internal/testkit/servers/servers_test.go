package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCommandFollowsTwoDashes(t *testing.T) {
	assert.Equal(t, []string{"go", "test", "--", "x"}, commandOf([]string{"--", "go", "test", "--", "x"}))
	assert.Equal(t, []string{"env"}, commandOf([]string{"env"}))
	assert.Empty(t, commandOf([]string{"--"}))
	assert.Empty(t, commandOf(nil))
}

func TestRaceFlagIsFoundInEveryForm(t *testing.T) {
	assert.True(t, wantsRace([]string{"go", "test", "-race", "./..."}))
	assert.True(t, wantsRace([]string{"sh", "-c", "go vet ./... && go test -race ./..."}))
	assert.False(t, wantsRace([]string{"go", "test", "-run", "TestRace", "./x-race"}))
}

func TestBrowserTagIsFoundInEveryForm(t *testing.T) {
	assert.True(t, wantsBrowser([]string{"gotestsum", "--", "-tags", "browser", "-run", "InBrowser"}))
	assert.True(t, wantsBrowser([]string{"go", "test", "-tags=openstack,browser", "./..."}))
	assert.True(t, wantsBrowser([]string{"sh", "-c", "go vet ./... && go test --tags browser ./..."}))
	assert.False(t, wantsBrowser([]string{"go", "test", "-tags", "openstack", "-run", "browser", "./internal/browser"}))
	assert.False(t, wantsBrowser([]string{"go", "test", "-run=browser", "-tags=nobrowser"}))
}

func TestPackagesThatNeedPromtoolAreFound(t *testing.T) {
	assert.True(t, wantsPromtool([]string{"go", "test", "./...", "./internal/e2e/..."}))
	assert.True(t, wantsPromtool([]string{"sh", "-c", "gotestsum -- -race staffeln/internal/e2e staffeln/internal/e2e/deploy"}))
	assert.False(t, wantsPromtool([]string{"go", "test", "./...", "./internal/e2e/browser", "./internal/e2e/crash"}))
}

func TestMissingToolsAreReportedTogether(t *testing.T) {
	what, packages := describe([]missingTool{{"a", []string{"p"}}, {"b", []string{"q", "r"}}})
	assert.Equal(t, "a; b", what)
	assert.Equal(t, []string{"p", "q", "r"}, packages)
}

func TestNoServerIsMissingIfItsURLIsSet(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv(databaseVariable, "postgres://localhost/x")
	t.Setenv(redisVariable, "redis://localhost/0")
	assert.Empty(t, missing(t.Context(), []string{"go", "test"}))

	t.Setenv(redisVariable, "")
	assert.Equal(t, []missingTool{{"a Redis server", []string{"redis-server"}}}, missing(t.Context(), []string{"go", "test"}))
	assert.Len(t, missing(t.Context(), []string{"go", "test", "-race"}), 2)
	assert.Contains(t, missing(t.Context(), []string{"go", "test", "./internal/e2e/deploy"}), missingTool{"promtool, for the tests of metrics and alerts", []string{"prometheus"}})
	assert.Contains(t, missing(t.Context(), []string{"go", "test", "-tags", "browser"}), missingTool{"a browser, for go test -tags browser", []string{"chromium"}})
}

func TestErrorNamesInstallCommandWithoutRoot(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // no apt-get: not even root can install
	err := installMissing(t.Context(), []missingTool{{"a Redis server", []string{"redis-server"}}})
	require.EqualError(t, err, "missing: a Redis server: install with: sudo apt-get install redis-server")
}

func TestExitCodeIsThatOfCommand(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 7": 7, "kill -TERM $$": 143} {
		code, err := execute(t.Context(), []string{"sh", "-c", script}, os.Environ(), nil)
		require.NoError(t, err, script)
		assert.Equal(t, want, code, script)
	}
	_, err := execute(t.Context(), []string{filepath.Join(t.TempDir(), "none")}, nil, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = exitCode("sh", exec.ErrWaitDelay)
	require.ErrorIs(t, err, exec.ErrWaitDelay)
}

func TestSignalsAreForwardedToCommand(t *testing.T) {
	signals := make(chan os.Signal, 1)
	ready := filepath.Join(t.TempDir(), "ready")
	require.NoError(t, exec.CommandContext(t.Context(), "mkfifo", ready).Run())
	go func() {
		_, _ = os.ReadFile(ready) // returns when the command has set its trap and closes the pipe
		signals <- os.Interrupt
	}()
	script := `trap 'kill $!; exit 42' INT; sleep 60 & : >"$1"; wait`
	code, err := execute(t.Context(), []string{"sh", "-c", script, "sh", ready}, os.Environ(), signals)
	require.NoError(t, err)
	assert.Equal(t, 42, code)
}

func TestLongOutputIsCutToItsEnd(t *testing.T) {
	assert.Equal(t, "a\nb", lastLines("a\nb\n"))
	assert.Len(t, strings.Split(lastLines(strings.Repeat("x\n", 100)), "\n"), 15)
}
