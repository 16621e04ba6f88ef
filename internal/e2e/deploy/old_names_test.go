package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The names of the Python program's units and commands, which automation of operators uses.
const (
	conductorFile = "deploy/systemd/staffeln-conductor.service"
	dbManageFile  = "deploy/staffeln-db-manage"
)

func TestConductorUnitStartsStopsAndRestartsSchedulerAndWorkers(t *testing.T) {
	u := unit(t, conductorFile)
	assert.Equal(t, "oneshot", u.one(t, "Type"))
	assert.Equal(t, "yes", u.one(t, "RemainAfterExit"), "else a stop would have nothing to propagate")
	assert.Equal(t, "multi-user.target", u.one(t, "WantedBy"))
	count, ports := map[string]int{}, []string{}
	for instance := range strings.FieldsSeq(u.one(t, "Wants")) {
		template, port, _ := strings.Cut(strings.TrimSuffix(instance, ".service"), "@")
		file := "deploy/systemd/" + template + "@.service"
		require.Contains(t, unitFiles, file)
		assert.Equal(t, filepath.Base(conductorFile), unit(t, file).one(t, "PartOf"), file)
		assert.NotContains(t, ports, port, "two processes on one port")
		count[template], ports = count[template]+1, append(ports, port)
	}
	assert.Equal(t, map[string]int{"staffeln-scheduler": 1, "staffeln-worker": 2}, count)
	assert.True(t, slices.Contains(unitFiles, "deploy/systemd/staffeln-api.service"), "the other unit has its name still")
}

func TestDBManageMigratesAsTheCommandsOfThePythonProgram(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "staffeln"), []byte("#!/bin/sh\necho \"$@\"\n"), 0o700))
	run := func(args ...string) (string, int) {
		cmd := exec.CommandContext(t.Context(), filepath.Join(repository, dbManageFile), args...)
		cmd.Env = []string{"PATH=" + folder + ":/usr/bin:/bin"}
		out, _ := cmd.CombinedOutput() // the exit code is the error
		return string(out), cmd.ProcessState.ExitCode()
	}
	for _, args := range [][]string{{"create_schema"}, {"upgrade", "head"}} {
		out, code := run(args...)
		assert.Equal(t, "migrate up\n", out)
		assert.Zero(t, code)
	}
	for _, args := range [][]string{nil, {"upgrade"}, {"downgrade", "-1"}, {"create_schema", "upgrade"}} {
		out, code := run(args...)
		assert.Contains(t, out, "want create_schema or upgrade head", args)
		assert.Equal(t, 2, code)
	}
}
