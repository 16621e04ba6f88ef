package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// importConfig runs `config import` in a folder, and returns the exit code and what it printed.
func importConfig(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	root := newRoot()
	var out, faults bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&faults)
	code = Run(t.Context(), root, append([]string{"config", "import"}, args...))
	return code, out.String(), faults.String()
}

func TestConfigImport(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
		return filepath.Join(folder, name)
	}
	conf := write("staffeln.conf", "[conductor]\nbackup_min_interval = 86400\n[notification]\nsender_email = s@example.org\nsender_pwd = geheim\n")
	openrc := write("openrc", "export OS_AUTH_URL=http://k:5000/v3 OS_USERNAME=u OS_PROJECT_NAME=p\nexport OS_PASSWORD='geheim'\n")

	code, stdout, stderr := importConfig(t, conf, openrc)
	assert.Zero(t, code, stderr)
	assert.Contains(t, stdout, "\nSTAFFELN_BACKUP_MIN_INTERVAL=86400\n")
	assert.Contains(t, stdout, "\nSTAFFELN_SENDER_PWD=geheim\n")
	assert.Contains(t, stdout, "\nOS_PASSWORD=geheim\n")
	assert.Contains(t, stdout, "\n#STAFFELN_DATABASE_URL=")
	assert.NotContains(t, stderr, "geheim")

	output := filepath.Join(folder, "new.env")
	code, stdout2, stderr := importConfig(t, conf, openrc, "--output", output)
	assert.Zero(t, code, stderr)
	assert.Empty(t, stdout2)
	about, err := os.Stat(output)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), about.Mode().Perm())
	written, err := os.ReadFile(output)
	require.NoError(t, err)
	assert.Equal(t, stdout, string(written))

	code, _, stderr = importConfig(t, conf, "--output", output)
	assert.Equal(t, ExitFailed, code)
	assert.Contains(t, stderr, "new.env exists: name another file, or replace it with --force")
	kept, err := os.ReadFile(output)
	require.NoError(t, err)
	assert.Equal(t, written, kept)
	code, _, stderr = importConfig(t, conf, "--output", output, "--force")
	assert.Zero(t, code, stderr)
	replaced, err := os.ReadFile(output)
	require.NoError(t, err)
	assert.NotContains(t, string(replaced), "OS_PASSWORD=")
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Len(t, left, 3, "no temporary file remains")
}

func TestConfigImportReportsWhatMustBeCorrected(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "staffeln.conf")
	require.NoError(t, os.WriteFile(conf, []byte("[conductor]\nretention_time = 30 days\n"), 0o600))
	code, stdout, stderr := importConfig(t, conf)
	assert.Equal(t, ExitFailed, code)
	assert.Contains(t, stdout, "\n# STAFFELN_RETENTION_TIME=30 days\n")
	assert.Contains(t, stderr, "REFUSED STAFFELN_RETENTION_TIME ([conductor] retention_time): parse period")
	assert.Contains(t, stderr, "lines with REFUSED or MISSING: 1;")

	require.NoError(t, os.WriteFile(conf, []byte("[conductor]\ngeheim\n"), 0o600))
	code, stdout, stderr = importConfig(t, conf)
	assert.Equal(t, ExitFailed, code)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "staffeln.conf:2: want NAME = VALUE")
	assert.NotContains(t, stderr, "geheim")

	for _, args := range [][]string{nil, {"a", "b", "c"}} {
		code, _, _ = importConfig(t, args...)
		assert.Equal(t, ExitUsage, code)
	}
	code, _, stderr = importConfig(t, filepath.Join(t.TempDir(), "none"))
	assert.Equal(t, ExitFailed, code)
	assert.Contains(t, stderr, "no such file or directory")
}
