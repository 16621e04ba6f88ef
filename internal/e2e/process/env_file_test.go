package process

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// envFileOf returns an environment file, with quotes, of some variables.
func envFileOf(t *testing.T, env map[string]string) string {
	t.Helper()
	text := "# all processes read this\n"
	for _, name := range slices.Sorted(maps.Keys(env)) {
		text += name + "='" + env[name] + "'\n"
	}
	file := filepath.Join(t.TempDir(), "staffeln.env")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

var servingAddress = regexp.MustCompile(`"address":"([^"]+)".*"message":"serving metrics and health"`)

// Two schedulers and a worker on one machine share one environment file. Each gets its own port from its environment, which
// wins over the file, and with port 0 from the system.
func TestProcessesOfOneMachineShareOneEnvironmentFile(t *testing.T) {
	t.Parallel()
	h := rig.NewDeployment(t, cloudsim.Options{}, nil)
	volume := cloudsim.Seed(h.Sim, cloudsim.SeedOptions{Projects: 1, Servers: 1, VolumesPerServer: 1, MetadataKey: "__staffeln_backup"}).Volumes[0]
	h.Env["STAFFELN_METRICS_LISTEN"] = rig.FreeAddress(t)
	file := envFileOf(t, h.Env)
	second := rig.FreeAddress(t)
	addresses := map[string]bool{}
	for _, p := range []*rig.Process{
		rig.Launch(t, nil, "scheduler", "--env-file", file),
		rig.Launch(t, map[string]string{"STAFFELN_METRICS_LISTEN": second, "STAFFELN_ENV_FILE": file}, "scheduler"),
		rig.Launch(t, map[string]string{"STAFFELN_METRICS_LISTEN": "127.0.0.1:0"}, "--env-file", file, "worker"),
	} {
		h.Eventually(p.Name+" is ready", func() bool {
			serving := servingAddress.FindStringSubmatch(p.Log.String())
			if serving == nil {
				return false
			}
			addresses[serving[1]] = true
			return rig.Responds(t, serving[1], "http://127.0.0.1:9808/readyz")
		})
		require.Contains(t, p.Log.String(), `"file":"`+file+`"`)
	}
	require.Len(t, addresses, 3)
	require.Contains(t, addresses, h.Env["STAFFELN_METRICS_LISTEN"])
	require.Contains(t, addresses, second)
	h.Eventually("a backup is available", func() bool { return h.Count("state = 'available'") == 1 })

	out, code := rig.Output(t, nil, "explain", volume, "--env-file", file)
	require.Zero(t, code, out)
	require.Contains(t, out, volume)
	out, _ = rig.Output(t, map[string]string{"STAFFELN_ENV_FILE": file, "STAFFELN_LOG_LEVEL": "warn"}, "doctor", "--json")
	var found struct {
		Findings []struct{ Check, Text string }
	}
	require.NoError(t, json.NewDecoder(strings.NewReader(out)).Decode(&found), out) // an error may follow, because doctor has warnings
	var sources []string
	for _, f := range found.Findings {
		if f.Check == "configuration" && strings.HasPrefix(f.Text, "read from") {
			sources = append(sources, f.Text)
		}
	}
	require.Len(t, sources, 1, out)
	require.Contains(t, sources[0], file)
}

// A file that cannot be used ends a command with exit code 2 and names the file and the line; no value of it is shown.
func TestEnvironmentFileThatIsRefused(t *testing.T) {
	t.Parallel()
	bad := filepath.Join(t.TempDir(), "bad.env")
	require.NoError(t, os.WriteFile(bad, []byte("OS_USERNAME=staffeln\nOS_PASSWORD="+secretPassword+"$x\n"), 0o600))
	public := filepath.Join(t.TempDir(), "public.env")
	require.NoError(t, os.WriteFile(public, []byte("STAFFELN_DATABASE_URL=postgres://staffeln:"+secretPassword+"@127.0.0.1:1/staffeln\n"), 0o600))
	require.NoError(t, os.Chmod(public, 0o644))
	for _, c := range []struct {
		args  []string
		code  int
		shows string
	}{
		{[]string{"worker", "--env-file", bad}, 2, bad + ":2: OS_PASSWORD: compose replaces $"},
		{[]string{"status", "--env-file", bad + ".missing"}, 2, "read environment file: open " + bad + ".missing: no such file or directory; check --env-file"},
		{[]string{"status", "--env-file", public}, 1, "WARNING: " + public + ": every user of this machine may read it, and it contains STAFFELN_DATABASE_URL: chmod 600 it"},
		{[]string{"migrate", "status", "--env-file", public}, 1, `"message":"environment file with secrets can be read by every user: chmod 600 it"`},
		{[]string{"version", "--env-file", bad}, 0, "staffeln "},
	} {
		out, code := rig.Output(t, nil, c.args...)
		require.Equal(t, c.code, code, out)
		require.Contains(t, out, c.shows)
		require.NotContains(t, out, secretPassword)
	}
}
