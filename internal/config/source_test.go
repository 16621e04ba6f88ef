package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// withoutOurs removes our variables and those of the cloud from the environment of the test.
func withoutOurs(t *testing.T) {
	t.Helper()
	for _, line := range os.Environ() {
		if name, value, _ := strings.Cut(line, "="); configured([]string{line}) != "" {
			t.Setenv(name, value) // restores it after the test
			require.NoError(t, os.Unsetenv(name))
		}
	}
}

// forget removes a variable that the tested code sets, after the test.
func forget(t *testing.T, names ...string) {
	t.Helper()
	t.Cleanup(func() {
		for _, name := range names {
			require.NoError(t, os.Unsetenv(name))
		}
	})
}

func envFile(t *testing.T, mode os.FileMode, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "staffeln.env")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
	require.NoError(t, os.Chmod(file, mode))
	return file
}

func TestEnvFile_TheEnvironmentWins(t *testing.T) {
	withoutOurs(t)
	forget(t, "STAFFELN_LOG_LEVEL", "STAFFELN_DATABASE_URL_FILE", "STAFFELN_SENDER_PWD")
	t.Setenv("OS_PASSWORD", "one")
	t.Setenv("STAFFELN_REDIS_URL_FILE", "/run/redis")
	t.Setenv("OS_REGION_NAME", "")
	t.Setenv("STAFFELN_API_TLS_CERT", "no secret of ours")
	file := envFile(t, 0o600, "STAFFELN_LOG_LEVEL=info", "STAFFELN_LOG_LEVEL=debug", "OS_PASSWORD_FILE=/run/other", "STAFFELN_REDIS_URL=redis://other",
		"OS_REGION_NAME=other", "STAFFELN_DATABASE_URL_FILE=/run/database", "STAFFELN_SENDER_PWD=geheim")
	s, err := ReadEnvFile(file, true, "")
	require.NoError(t, err)
	require.Equal(t, Source{File: file, Read: 3, Beside: []string{"OS_PASSWORD_FILE", "OS_REGION_NAME", "STAFFELN_REDIS_URL"}}, s)
	require.Equal(t, "read from the environment and "+file+" (3 variables); the environment wins for OS_PASSWORD_FILE, OS_REGION_NAME, STAFFELN_REDIS_URL", s.String())
	require.Equal(t, "debug", os.Getenv("STAFFELN_LOG_LEVEL"), "of two lines the last one counts")
	require.Equal(t, "/run/database", os.Getenv("STAFFELN_DATABASE_URL_FILE"))
	require.Equal(t, "one", os.Getenv("OS_PASSWORD"))
	require.False(t, IsSet("OS_PASSWORD_FILE"))
	require.False(t, IsSet("STAFFELN_REDIS_URL"))
	require.Empty(t, os.Getenv("OS_REGION_NAME"))
	require.Empty(t, s.Warning())
}

func TestEnvFile_WhichOneIsRead(t *testing.T) {
	withoutOurs(t)
	forget(t, "A_OF_FLAG", "A_OF_VARIABLE", "A_OF_STANDARD")
	flag, variable, standard := envFile(t, 0o600, "A_OF_FLAG=1"), envFile(t, 0o600, "A_OF_VARIABLE=1"), envFile(t, 0o600, "A_OF_STANDARD=1")
	read := func(named string, given bool, standard string) Source {
		s, err := ReadEnvFile(named, given, standard)
		require.NoError(t, err)
		return s
	}
	require.Equal(t, Source{}, read("", false, standard+".missing"))
	require.Equal(t, "read from the environment", read("", false, standard+".missing").String())
	require.Equal(t, standard, read("", false, standard).File)
	require.Equal(t, Source{}, read("", true, standard), "an empty name: no file")
	require.Equal(t, flag, read(flag, true, standard).File)

	t.Setenv("STAFFELN_API_PORT_8808_TCP", "injected by Kubernetes")
	require.Equal(t, standard, read("", false, standard).File)
	t.Setenv("OS_CLOUD", "mine")
	s := read("", false, standard)
	require.Empty(t, s.File, "the variables of another installation are not completed by this one's")
	require.Equal(t, standard+" was not read, because OS_CLOUD is set; to read it, too: --env-file "+standard, s.Hint)
	require.Empty(t, read("", false, standard+".missing").Hint)

	t.Setenv(EnvFileVariable, variable)
	require.Equal(t, variable, read("", false, standard).File)
	require.Equal(t, flag, read(flag, true, standard).File, "the flag wins over the variable")
	t.Setenv(EnvFileVariable, "")
	require.Equal(t, Source{}, read("", false, standard))
}

func TestEnvFile_Refused(t *testing.T) {
	withoutOurs(t)
	for _, c := range []struct{ file, fault string }{
		{"/nowhere/staffeln.env", "read environment file: open /nowhere/staffeln.env: no such file or directory; check --env-file"},
		{t.TempDir(), "is a directory; check --env-file"},
		{envFile(t, 0o600, "A=1", "A B"), "staffeln.env:2: want NAME=VALUE"},
		{envFile(t, 0o600, "STAFFELN_ENV_FILE=other"), "STAFFELN_ENV_FILE: an environment file cannot name another one"},
	} {
		_, err := ReadEnvFile(c.file, true, "")
		require.ErrorContains(t, err, c.fault)
	}
	t.Setenv(EnvFileVariable, "/nowhere/staffeln.env")
	_, err := ReadEnvFile("", false, "")
	require.ErrorContains(t, err, "check STAFFELN_ENV_FILE")
	require.False(t, IsSet("A"), "of a refused file nothing is set")
}

// A standard file that this user cannot read is no fault: all variables may be in the environment.
func TestEnvFile_StandardFileOfAnotherUser(t *testing.T) {
	withoutOurs(t)
	notAFolder := envFile(t, 0o600, "A=1")
	s, err := ReadEnvFile("", false, filepath.Join(notAFolder, "staffeln.env")) // cannot be opened, by root neither
	require.NoError(t, err)
	require.Empty(t, s.File)
	require.Contains(t, s.Hint, "run the command with sudo")
}

func TestEnvFile_WarnsIfEverybodyMayReadSecrets(t *testing.T) {
	withoutOurs(t)
	forget(t, "OS_PASSWORD", "STAFFELN_DATABASE_URL_FILE", "OS_USERNAME")
	public := envFile(t, 0o644, "OS_USERNAME=staffeln", "OS_PASSWORD=geheim", "STAFFELN_DATABASE_URL_FILE=/run/database")
	s, err := ReadEnvFile(public, true, "")
	require.NoError(t, err)
	require.Equal(t, public+": every user of this machine may read it, and it contains OS_PASSWORD: chmod 600 it", s.Warning())
	t.Setenv("OS_PASSWORD", "another")
	s, err = ReadEnvFile(envFile(t, 0o644, "OS_USERNAME=staffeln", "STAFFELN_DATABASE_URL_FILE=/run/database"), true, "")
	require.NoError(t, err)
	require.Empty(t, s.Warning(), "no secret in it")
}

// Each line of .env.example can be used as it is: without its # it changes nothing.
func TestEnvExampleContainsTheDefaults(t *testing.T) {
	text, err := os.ReadFile("../../.env.example")
	require.NoError(t, err)
	lines := regexp.MustCompile(`(?m)^#(STAFFELN_)`).ReplaceAllString(string(text), "$1")
	all, err := parseEnvFile(".env.example", lines)
	require.NoError(t, err)
	var env []string
	for _, a := range all {
		if strings.HasPrefix(a.name, prefix) && a.name != "STAFFELN_DATABASE_URL" && a.name != "STAFFELN_REDIS_URL" {
			env = append(env, a.name+"="+a.value)
		}
	}
	require.Greater(t, len(env), 60)
	for i, p := range Processes() {
		without := Processes()[i].Config
		require.NoError(t, Load(environment(), without))
		require.NoError(t, Load(append(environment(), env...), p.Config))
		require.Equal(t, fmt.Sprintf("%+v", without), fmt.Sprintf("%+v", p.Config), p.Name) // nil lists and empty ones are the same
	}
}
