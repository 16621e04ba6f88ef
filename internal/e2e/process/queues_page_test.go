package process

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit/private"
)

// ask sends a request with the token, or without one if the token is empty.
func ask(t testing.TB, method, url, token string) (status int, body string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	require.NoError(t, err)
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	a, err := client.Do(q)
	require.NoError(t, err)
	text, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	require.NoError(t, a.Body.Close())
	return a.StatusCode, string(text)
}

func TestQueuesPageShowsDispatchedTasks(t *testing.T) {
	t.Parallel()
	h := rig.NewDeployment(t, cloudsim.Options{}, nil)
	volumes := cloudsim.Seed(h.Sim, cloudsim.SeedOptions{Projects: 1, Servers: 3, VolumesPerServer: 1, MetadataKey: "__staffeln_backup"}).Volumes
	rig.Launch(t, h.Env, "scheduler")
	page := rig.ServeQueues(h, len(volumes))

	status, body := ask(t, http.MethodGet, page+"/api/queues", rig.QueuesToken)
	require.Equal(t, http.StatusOK, status, body)
	var all struct {
		Queues []struct {
			Queue   string
			Pending int
			Paused  bool
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &all))
	require.Len(t, all.Queues, 1)
	require.Equal(t, "volumes", all.Queues[0].Queue)
	require.Equal(t, len(volumes), all.Queues[0].Pending)

	status, body = ask(t, http.MethodGet, page+"/api/queues/volumes/pending_tasks", rig.QueuesToken)
	require.Equal(t, http.StatusOK, status, body)
	var waiting struct {
		Tasks []struct{ ID, Type string }
	}
	require.NoError(t, json.Unmarshal([]byte(body), &waiting))
	shown := make([]string, 0, len(volumes))
	for _, task := range waiting.Tasks {
		require.Equal(t, "volume:backup", task.Type)
		shown = append(shown, strings.TrimPrefix(task.ID, "volume:"))
	}
	require.ElementsMatch(t, volumes, shown)

	for method, path := range map[string]string{
		http.MethodPost: "/api/queues/volumes:pause", http.MethodDelete: "/api/queues/volumes/pending_tasks:delete_all",
	} {
		status, _ = ask(t, method, page+path, rig.QueuesToken)
		require.Equal(t, http.StatusMethodNotAllowed, status)
		status, _ = ask(t, method, page+path, "")
		require.Equal(t, http.StatusUnauthorized, status)
	}
	require.Equal(t, len(volumes), rig.Pending(h), "tasks, after somebody tried to delete them")
	for _, path := range []string{"", "/", "/queues/volumes", "/api/queues"} {
		status, body = ask(t, http.MethodGet, page+path, "")
		require.Equal(t, http.StatusUnauthorized, status)
		require.NotContains(t, body, volumes[0])
	}
}

// The api works without Redis, and its queues page shows the error and recovers when Redis is back.
func TestQueuesPageWorksWithoutRedis(t *testing.T) {
	t.Parallel()
	h := rig.NewDeployment(t, cloudsim.Options{}, nil)
	server, err := private.StartRedis(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop() }) // it may have stopped already
	require.NoError(t, server.Stop())

	api := "http://" + rig.ServeAPI(h, map[string]string{"STAFFELN_REDIS_URL": server.URL}) // ready although Redis is down
	away := func() {
		t.Helper()
		status, body := ask(t, http.MethodGet, api+"/queues", rig.QueuesToken)
		require.Equal(t, http.StatusOK, status, body)
		status, body = ask(t, http.MethodGet, api+"/queues/api/queues", rig.QueuesToken)
		require.Equal(t, http.StatusInternalServerError, status, body)
		status, body = ask(t, http.MethodGet, api+"/v1/health", "")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "True", body)
		status, body = ask(t, http.MethodGet, api+"/readyz", "")
		require.Equal(t, http.StatusOK, status)
		require.JSONEq(t, `{"ready":true,"not_ready":[]}`, body)
	}
	there := func() {
		t.Helper()
		h.Eventually("the page shows the queues", func() bool {
			status, _ := ask(t, http.MethodGet, api+"/queues/api/queues", rig.QueuesToken)
			return status == http.StatusOK
		})
	}
	away()
	require.NoError(t, server.Restart(t.Context()))
	there()
	require.NoError(t, server.Kill())
	away()
	require.NoError(t, server.Restart(t.Context()))
	there()
}

// `staffeln all` has the queues page too.
func TestQueuesPageOfAllInOne(t *testing.T) {
	t.Parallel()
	h := rig.NewDeployment(t, cloudsim.Options{}, nil)
	env := maps.Clone(h.Env)
	env["STAFFELN_API_LISTEN"], env["STAFFELN_API_QUEUES_TOKEN"] = rig.FreeAddress(t), rig.QueuesToken
	p := rig.Launch(t, env, "all")
	h.Eventually("it is ready", func() bool { return rig.Responds(t, env["STAFFELN_API_LISTEN"], "http://127.0.0.1:8808/readyz") })
	page := "http://" + env["STAFFELN_API_LISTEN"] + "/queues"
	h.Eventually("the page shows its own worker", func() bool {
		status, body := ask(t, http.MethodGet, page+"/api/servers", rig.QueuesToken)
		return status == http.StatusOK && strings.Contains(body, `"volumes"`)
	})
	status, _ := ask(t, http.MethodGet, page, "")
	require.Equal(t, http.StatusUnauthorized, status)
	p.Stop()
	require.Zero(t, p.Cmd.ProcessState.ExitCode())
	require.NotContains(t, p.Log.String(), rig.QueuesToken)
}
