//go:build containers

package containers

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// installation is one checkout that is run by Compose, and its cloud.
type installation struct {
	t      *testing.T
	name   string // of Compose's project, and version of the image
	folder string // copy of the repository
	env    []string
	api    string // address of the api
	cloud  *cloudsim.Cloud
}

// newInstallation prepares a copy of the repository for `docker compose up`, as docs/running.md does.
func newInstallation(t *testing.T, cloud *cloudsim.Cloud) *installation {
	t.Helper()
	i := &installation{t: t, folder: t.TempDir(), api: rig.FreeAddress(t), cloud: cloud}
	i.name = strings.ToLower(filepath.Base(filepath.Dir(i.folder)))
	i.env = append(os.Environ(), "COMPOSE_PROJECT_NAME="+i.name, "VERSION="+i.name, "API_PUBLISH="+i.api, "ASYNQMON_PUBLISH="+rig.FreeAddress(t))
	i.copyRepository()

	rc := cloud.OpenRC(serve(t, cloud))
	text := i.read(".env.example")
	for variable, value := range rc {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, variable+"=") {
				text = strings.Replace(text, line, variable+"="+value+"\n", 1)
			}
		}
	}
	i.write(".env", text+`
STAFFELN_ALLOW_SHORT_PERIODS=true
STAFFELN_BACKUP_SERVICE_PERIOD=5
STAFFELN_BACKUP_MIN_INTERVAL=5
STAFFELN_POLL_PERIOD=1
`)
	i.secrets(rc["OS_PASSWORD"])
	t.Cleanup(func() {
		i.t = t // of the whole test, no longer of a part
		if t.Failed() {
			out, _ := i.try("logs", "--no-color", "--tail=60")
			t.Log(out)
		}
		i.compose("down", "--volumes", "--timeout", "1")
		run(t, "", nil, "docker", "image", "rm", "--force", "staffeln:"+i.name, "staffeln:"+i.name+"-next")
	})
	return i
}

// serve serves the cloud where containers reach it: on this machine's address in the engine's default network. It returns the
// URL.
func serve(t *testing.T, cloud *cloudsim.Cloud) string {
	t.Helper()
	name := strings.TrimSpace(run(t, "", nil, "docker", "network", "inspect", "bridge", "--format", `{{index .Options "com.docker.network.bridge.name"}}`))
	bridge, err := net.InterfaceByName(name)
	require.NoError(t, err, "the engine must be on this machine, and the test in its network namespace")
	addresses, err := bridge.Addrs()
	require.NoError(t, err)
	require.NotEmpty(t, addresses, name)
	host, _, err := net.ParseCIDR(addresses[0].String())
	require.NoError(t, err)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(host.String(), "0"))
	require.NoError(t, err)
	server := &http.Server{Handler: cloud, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // ends with Close
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String()
}

func (i *installation) copyRepository() {
	i.t.Helper()
	from := rig.Repository(i.t)
	files := run(i.t, from, nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	for name := range strings.SplitSeq(strings.TrimSuffix(files, "\x00"), "\x00") {
		info, err := os.Lstat(filepath.Join(from, name))
		if err != nil || !info.Mode().IsRegular() {
			continue // removed and not yet committed, or a symbolic link: the image needs none
		}
		text, err := os.ReadFile(filepath.Join(from, name))
		require.NoError(i.t, err)
		i.write(name, string(text))
		require.NoError(i.t, os.Chmod(filepath.Join(i.folder, name), info.Mode()))
	}
}

func (i *installation) read(name string) string {
	i.t.Helper()
	text, err := os.ReadFile(filepath.Join(i.folder, name))
	require.NoError(i.t, err)
	return string(text)
}

func (i *installation) write(name, text string) {
	i.t.Helper()
	path := filepath.Join(i.folder, name)
	require.NoError(i.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(i.t, os.WriteFile(path, []byte(text), 0o644))
}

func (i *installation) secrets(password string) {
	i.t.Helper()
	script := exec.CommandContext(i.t.Context(), filepath.Join(i.folder, "deploy", "secrets.sh"))
	script.Stdin = strings.NewReader(password + "\n")
	out, err := script.CombinedOutput()
	require.NoError(i.t, err, string(out))
}

// compose runs `docker compose` with args, which must succeed, and returns what it printed.
func (i *installation) compose(args ...string) string {
	i.t.Helper()
	out, err := i.try(args...)
	require.NoError(i.t, err, "docker compose %s\n%s", strings.Join(args, " "), out)
	return out
}

func (i *installation) try(args ...string) (string, error) {
	cmd := exec.CommandContext(context.WithoutCancel(i.t.Context()), "docker", append([]string{"compose"}, args...)...)
	cmd.Dir, cmd.Env = i.folder, i.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// container is one line of `docker compose ps`.
type container struct {
	ID, Service, State, Health string
	ExitCode                   int
}

func (i *installation) containers() (all []container) {
	i.t.Helper()
	for line := range strings.Lines(i.compose("ps", "--all", "--format", "json")) {
		var c container
		require.NoError(i.t, json.Unmarshal([]byte(line), &c), line)
		all = append(all, c)
	}
	return all
}

func (i *installation) of(service string) (ids []string) {
	i.t.Helper()
	for _, c := range i.containers() {
		if c.Service == service && c.State == "running" {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

func inspect(t *testing.T, id, format string) string {
	t.Helper()
	return strings.TrimSpace(run(t, "", nil, "docker", "inspect", "--format", format, id))
}

func run(t *testing.T, folder string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...)
	cmd.Dir, cmd.Env = folder, env
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.Output()
	require.NoError(t, err, "%s %s\n%s", name, strings.Join(args, " "), problem.String())
	return string(out)
}

func get(t *testing.T, url, token string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close() //nolint:errcheck // a test's own request
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}
