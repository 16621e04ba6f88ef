//go:build containers

package containers

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/testkit"
	"staffeln/view"
)

// TestComposeInContainers is an operator's first day with docker-compose.yml: each part continues where the one before ended.
func TestComposeInContainers(t *testing.T) {
	cloud := cloudsim.New(cloudsim.Options{BackupTime: cloudsim.Fixed(time.Second)})
	cloudsim.Seed(cloud, cloudsim.SeedOptions{Projects: 2, Servers: 2, VolumesPerServer: 2, MetadataKey: "__staffeln_backup"})
	i := newInstallation(t, cloud)
	for _, part := range []struct {
		name string
		run  func(*installation)
	}{
		{"one image is built, and all is healthy", started},
		{"the same source gives the same image", builtAgain},
		{"a full and an incremental backup of each volume", backedUp},
		{"pages and operator's shell", looked},
		{"a killed worker comes back, and its backups go on", workerKilled},
		{"more workers", scaled},
		{"an upgrade whose migration fails leaves the old processes running", upgradeFailed},
		{"an upgrade", upgraded},
		{"new passwords of the database", passwordsChanged},
		{"a restored dump", restored},
		{"all end in time", ended},
	} {
		ok := t.Run(part.name, func(t *testing.T) {
			i.t = t
			part.run(i)
			i.requireQuietLog()
		})
		require.True(t, ok, "the next part needs this one")
	}
}

func started(i *installation) {
	i.compose("up", "-d", "--build", "--wait")
	for _, c := range i.containers() {
		switch c.Service {
		case "migrate", "database-users":
			require.Equal(i.t, "exited", c.State, c.Service)
			require.Zero(i.t, c.ExitCode, c.Service)
		case "asynqmon": // has no check
			require.Equal(i.t, "running", c.State, c.Service)
		default:
			require.Equal(i.t, "healthy", c.Health, c.Service)
		}
	}
	images := map[string]bool{}
	for _, service := range []string{"scheduler", "worker", "api"} {
		for _, id := range i.of(service) {
			images[inspect(i.t, id, "{{.Image}}")] = true
			require.Equal(i.t, "10001:10001 true", inspect(i.t, id, "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}}"))
		}
	}
	require.Len(i.t, images, 1, "one build is one image")
	for image := range images {
		size, err := strconv.Atoi(inspect(i.t, image, "{{.Size}}"))
		require.NoError(i.t, err)
		require.Less(i.t, size, 60<<20)
		i.t.Logf("image: %s, %.1f MB", image, float64(size)/1e6)
	}
}

// builtAgain compiles and links once more, because the build's own copy of the source has another file.
func builtAgain(i *installation) {
	image := inspect(i.t, "staffeln:"+i.name, "{{.Id}}")
	i.write("NOTICE", "not part of the program\n")
	i.compose("build")
	require.Equal(i.t, image, inspect(i.t, "staffeln:"+i.name, "{{.Id}}"))
}

// kinds returns the number of available full and incremental backups of each volume.
func (i *installation) kinds() (fulls, incrementals map[string]int) {
	fulls, incrementals = map[string]int{}, map[string]int{}
	for _, v := range i.cloud.Volumes() {
		for _, b := range i.cloud.BackupsOf(v.ID) {
			switch {
			case b.Status != "available":
			case b.Parent == "":
				fulls[v.ID]++
			default:
				incrementals[v.ID]++
			}
		}
	}
	return fulls, incrementals
}

func backedUp(i *installation) {
	testkit.Eventually(i.t, "each volume has a full and an incremental backup", 2*time.Minute, func() bool {
		fulls, incrementals := i.kinds()
		return len(fulls) == len(i.cloud.Volumes()) && len(incrementals) == len(i.cloud.Volumes())
	})
}

// more waits until Cinder has completed further backups of ours.
func (i *installation) more() {
	i.t.Helper()
	completed := func() (n int) {
		for _, e := range i.cloud.Journal() {
			if e.Kind == cloudsim.BackupAvailable {
				n++
			}
		}
		return n
	}
	before := completed()
	testkit.Eventually(i.t, "further backups", 2*time.Minute, func() bool { return completed() >= before+len(i.cloud.Volumes()) })
}

func looked(i *installation) {
	base := "http://" + i.api
	status, body := get(i.t, base+"/sign-in", "")
	require.Equal(i.t, http.StatusOK, status, body)
	status, body = get(i.t, base+"/queues/api/queues", strings.TrimSpace(i.read("deploy/secrets/api_queues_token")))
	require.Equal(i.t, http.StatusOK, status, body)
	require.Contains(i.t, body, `"queue":"volumes"`)
	status, _ = get(i.t, base+"/metrics", "")
	require.Equal(i.t, http.StatusNotFound, status, "metrics have a port of their own")

	shown := i.compose("exec", "-T", "scheduler", "staffeln", "status", "--json")
	_, object, _ := strings.Cut(shown, "{")
	var state view.Status
	require.NoError(i.t, json.Unmarshal([]byte("{"+object), &state), shown)
	require.Equal(i.t, len(i.cloud.Volumes()), state.Volumes.Protected+state.Volumes.Late, shown)
}

func workerKilled(i *installation) {
	id := i.of("worker")[0]
	pid, err := strconv.Atoi(inspect(i.t, id, "{{.State.Pid}}"))
	require.NoError(i.t, err)
	require.NoError(i.t, syscall.Kill(pid, syscall.SIGKILL))
	i.more()
	testkit.Eventually(i.t, "the worker runs again", time.Minute, func() bool {
		return inspect(i.t, id, "{{.RestartCount}} {{.State.Running}}") == "1 true"
	})
}

func scaled(i *installation) {
	i.env = append(i.env, "WORKERS=4")
	i.compose("up", "-d", "--wait")
	require.Len(i.t, i.of("worker"), 4)
}

// ours returns the running containers that an upgrade replaces.
func (i *installation) ours() []string {
	i.t.Helper()
	all := slices.Concat(i.of("scheduler"), i.of("worker"), i.of("api"))
	slices.Sort(all)
	return all
}

func upgradeFailed(i *installation) {
	const secret = "deploy/secrets/database_url"
	before, url := i.ours(), i.read(secret)
	i.env = append(i.env, "VERSION="+i.name+"-next")
	i.write(secret, strings.Replace(url, "/staffeln?", "/another?", 1))
	i.compose("build")
	out, err := i.try("run", "--rm", "migrate")
	require.Error(i.t, err)
	require.Contains(i.t, out, `database \"another\" does not exist`)
	require.Equal(i.t, before, i.ours())
	i.more()
	i.write(secret, url)
}

func upgraded(i *installation) {
	before := i.ours()
	i.compose("build")
	i.compose("run", "--rm", "migrate")
	i.compose("up", "-d", "--wait")
	for _, id := range i.ours() {
		require.NotContains(i.t, before, id)
	}
	i.more()
}

func passwordsChanged(i *installation) {
	for _, name := range []string{"database_password", "database_url", "api_database_password", "api_database_url"} {
		require.NoError(i.t, os.Remove(i.folder+"/deploy/secrets/"+name))
	}
	i.secrets("")
	i.compose("up", "-d", "--force-recreate", "--wait")
	i.more()
}

// restored is docs/running.md, "Backing up Postgres".
func restored(i *installation) {
	// Nothing runs while the dump is made, so that no backup lacks its record afterwards.
	script := `docker compose stop scheduler worker api &&
docker compose exec -T postgres pg_dump -U postgres -Fc staffeln >staffeln.dump &&
docker compose exec -T postgres pg_restore -U postgres --clean --if-exists -d staffeln <staffeln.dump &&
docker compose start scheduler worker api && docker compose up -d --wait`
	run(i.t, i.folder, i.env, "sh", "-c", script)
	i.more()
}

func ended(i *installation) {
	i.compose("stop", "scheduler", "worker", "api")
	for _, c := range i.containers() {
		if slices.Contains([]string{"scheduler", "worker", "api"}, c.Service) {
			require.Zero(i.t, c.ExitCode, "%s did not end within its grace, and was killed", c.Service)
		}
	}
}

// requireQuietLog asserts that each line of our processes is JSON, and that nobody is called by one of them.
func (i *installation) requireQuietLog() {
	i.t.Helper()
	lines := 0
	for line := range strings.Lines(i.compose("--ansi", "never", "logs", "--no-color", "--no-log-prefix", "scheduler", "worker", "api", "migrate")) {
		line = strings.ReplaceAll(line, "\x1b[2K", "") // Compose writes it even so
		var entry struct{ Level string }
		require.NoError(i.t, json.Unmarshal([]byte(line), &entry), "no JSON: %s", line)
		require.NotEqual(i.t, "error", entry.Level, line)
		lines++
	}
	require.Positive(i.t, lines)
}
