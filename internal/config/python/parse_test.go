package python

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/config"
)

func TestConfIsReadAsOsloConfigReadsIt(t *testing.T) {
	all, err := ParseConf("f", strings.Join([]string{
		"# comment", "; comment", "", "[Conductor]", "a = 1", "b: 2 # not a comment", `c="q"`, `d='q"`, "e=", `f = "`, "g = a,", "  b,", "\tc", "# comment",
		"[DEFAULT]", "h = x = y:z", "h = 2\r", "i = \"a", " b\"",
	}, "\n"))
	require.NoError(t, err)
	assert.Equal(t, []ConfOption{
		{"conductor.a", "1", 5},
		{"conductor.b", "2 # not a comment", 6},
		{"conductor.c", "q", 7},
		{"conductor.d", `'q"`, 8},
		{"conductor.e", "", 9},
		{"conductor.f", `"`, 10},
		{"conductor.g", "a,\nb,\nc", 11},
		{"DEFAULT.h", "x = y:z", 16},
		{"DEFAULT.h", "2", 17},
		{"DEFAULT.i", "\"a\nb\"", 18},
	}, all)
}

func TestConfReportsAllFaultsWithoutValues(t *testing.T) {
	_, err := ParseConf("f", "a = geheim\n[x\n[]\n[x]\n geheim\ngeheim\n= geheim\nb = 1\n\n  geheim\n")
	require.EqualError(t, err, strings.Join([]string{
		"f:1: the option is in no section: write [conductor] or another one above it",
		"f:2: want the name of a section in brackets, such as [conductor]", "f:3: want the name of a section in brackets, such as [conductor]",
		"f:5: begins with a space, but there is no option above that it could continue",
		"f:6: want NAME = VALUE, a section in brackets, or a comment that begins with #", "f:7: the name of the option is missing",
		"f:10: begins with a space, but there is no option above that it could continue",
	}, "\n"))
}

func TestDollarIsReadAsOsloConfigReadsIt(t *testing.T) {
	for value, want := range map[string]string{"a$$b": "a$b", `a\$b`: "a$b", "$1$": "$1$", "$$$$x": "$$x", `\\`: `\\`, "": ""} {
		got, err := substitute(value)
		require.NoError(t, err)
		assert.Equal(t, want, got, value)
	}
	for _, value := range []string{"$a", "x${a}", "$$$A", "$_"} {
		_, err := substitute(value)
		require.Error(t, err, value)
	}
}

func TestOpenrcIsReadAsAShellReadsIt(t *testing.T) {
	all, unread := ParseOpenrc(strings.Join([]string{
		"#!/bin/sh", "export OS_A='it is $x #1' # comment", `OS_B="a\"b\\c\d"`, `declare -x OS_C=a\ b'c'"d"`, "export OS_D=1 OS_E=", "OS_F=a#b;",
		"export OS_A2=1", "unset OS_A2 OS_NONE", "export OS_D=2", "  ",
	}, "\n"))
	assert.Empty(t, unread)
	assert.Equal(t, []Variable{
		{"OS_A", "it is $x #1", 2}, {"OS_B", `a"b\c\d`, 3}, {"OS_C", "a bcd", 4}, {"OS_E", "", 5}, {"OS_F", "a#b", 6}, {"OS_D", "2", 9},
	}, all)
}

func TestOpenrcIsNotExecuted(t *testing.T) {
	touched := filepath.Join(t.TempDir(), "touched")
	for _, line := range []string{
		"export OS_A=$(touch " + touched + ")", "export OS_A=`touch " + touched + "`", `export OS_A="$(touch ` + touched + `)"`, "touch " + touched,
		"export OS_A=1; touch " + touched, "OS_A=1 touch " + touched, "export OS_A=$OS_B", "source other", "read -sr OS_A", "export OS_A='geheim", `export OS_A=geheim\`, "export OS_A",
	} {
		all, unread := ParseOpenrc(line)
		assert.Empty(t, all, line)
		if assert.Len(t, unread, 1, line) {
			assert.Equal(t, 1, unread[0].Line)
			assert.NotContains(t, unread[0].Reason, "geheim")
			assert.Equal(t, strings.Contains(line, "OS_A="), unread[0].Variable == "OS_A", line)
		}
	}
	assert.NoFileExists(t, touched)
}

func TestOpenrcBecomesTheVariablesThatThisProgramReads(t *testing.T) {
	all, unread := ParseOpenrc("export OS_AUTH_URL=http://k:5000/v3\nexport OS_USERNAME=u\nexport OS_PASSWORD=p\nexport OS_PROJECT_NAME=admin\n" +
		"export OS_IDENTITY_API_VERSION=3\nexport OS_INTERFACE=intern\nexport OS_TRUST_ID=1\nexport OS_REGION_NAME=$R\nPS1=x")
	c := ConvertCloud("openrc", all, unread)
	c.CheckCloud("openrc")
	assert.Equal(t, map[string]string{"OS_AUTH_URL": "http://k:5000/v3", "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_NAME": "admin"}, c.accepted())
	assert.Contains(t, c.refused()["OS_TRUST_ID"], "can't be re-scoped")
	assert.Equal(t, "intern: want public, internal or admin", c.refused()["OS_INTERFACE"])
	assert.Equal(t, []string{
		"openrc:5: OS_IDENTITY_API_VERSION: no effect in this program, left out", "openrc:9: PS1: no effect in this program, left out",
		"MISSING openrc:8: OS_REGION_NAME: a shell would replace a part of the value, and nothing is executed here: write the value out, in single quotes",
	}, c.remarks())

	c = ConvertCloud("openrc", nil, nil)
	c.CheckCloud("openrc")
	assert.Contains(t, c.remarks(), "MISSING openrc: OS_AUTH_URL: not set")
	assert.Len(t, c.remarks(), 4)
}

// The program reads the whole file, with odd values in comments, as any other environment file.
func TestFileIsReadByThisProgram(t *testing.T) {
	c := converted(t, "[conductor]\nretention_time = x\\\nbackup_metadata_key = it's \"a\" \\key $$1\nfull_backup_depth = 3\n[notification]\nsmtp_server_port = 1\n  2\x1b\\\n")
	text := File(*c) + "STAFFELN_DATABASE_URL=postgres://a@b/c\nSTAFFELN_REDIS_URL=redis://b\n"
	file := filepath.Join(t.TempDir(), "staffeln.env")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	for name := range c.accepted() {
		t.Setenv(name, "") // restored at the end of the test
		require.NoError(t, os.Unsetenv(name))
	}
	for _, name := range []string{"STAFFELN_DATABASE_URL", "STAFFELN_REDIS_URL"} {
		t.Setenv(name, "")
		require.NoError(t, os.Unsetenv(name))
	}
	source, err := config.ReadEnvFile(file, true, "")
	require.NoError(t, err, text)
	assert.Equal(t, len(c.accepted())+2, source.Read)
	var read config.All
	require.NoError(t, config.Load(os.Environ(), &read))
	assert.Equal(t, `it's "a" \key $1`, read.Scheduler.BackupMetadataKey)
	assert.Equal(t, 3, read.Scheduler.FullBackupDepth)
	assert.Len(t, c.refused(), 2)
}
