package e2e

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/testkit/private"
)

const queuesToken = "0123456789abcdef"

func pending(h *house) int {
	return int(h.rdb.LLen(h.ctx, "asynq:{volumes}:pending").Val())
}

// servedQueues waits for that many pending tasks, starts an api and answers the URL of its page of the queues.
func servedQueues(h *house, tasks int) string {
	h.t.Helper()
	h.eventually("every volume has its task", func() bool { return pending(h) == tasks })
	return "http://" + readyAPI(h, nil) + "/queues"
}

// readyAPI starts an api with the token and answers its address.
func readyAPI(h *house, change map[string]string) string {
	h.t.Helper()
	env := maps.Clone(h.env)
	env["STAFFELN_API_LISTEN"], env["STAFFELN_API_QUEUES_TOKEN"] = freeAddress(h.t), queuesToken
	maps.Copy(env, change)
	launch(h.t, env, "api")
	h.eventually("the api is ready", func() bool { return answers(h.t, env["STAFFELN_API_LISTEN"], "http://127.0.0.1:8808/readyz") })
	return env["STAFFELN_API_LISTEN"]
}

// ask asks with the token, or without where it is empty.
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

func TestQueuesPageShowsWhatIsDispatched(t *testing.T) {
	t.Parallel()
	h := newHouse(t, cloudsim.Options{}, nil)
	volumes := cloudsim.Seed(h.sim, cloudsim.SeedOptions{Projects: 1, Servers: 3, VolumesPerServer: 1, MetadataKey: "__staffeln_backup"}).Volumes
	launch(t, h.env, "scheduler")
	page := servedQueues(h, len(volumes))

	status, body := ask(t, http.MethodGet, page+"/api/queues", queuesToken)
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

	status, body = ask(t, http.MethodGet, page+"/api/queues/volumes/pending_tasks", queuesToken)
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
		status, _ = ask(t, method, page+path, queuesToken)
		require.Equal(t, http.StatusMethodNotAllowed, status)
		status, _ = ask(t, method, page+path, "")
		require.Equal(t, http.StatusUnauthorized, status)
	}
	require.Equal(t, len(volumes), pending(h), "tasks, after somebody tried to delete them")
	for _, path := range []string{"", "/", "/queues/volumes", "/api/queues"} {
		status, body = ask(t, http.MethodGet, page+path, "")
		require.Equal(t, http.StatusUnauthorized, status)
		require.NotContains(t, body, volumes[0])
	}
}

// The api is of use without a Redis, and so is its page: it says what is wrong, and goes on when it is mended.
func TestQueuesPageOutlivesItsRedis(t *testing.T) {
	t.Parallel()
	h := newHouse(t, cloudsim.Options{}, nil)
	server, err := private.StartRedis(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop() }) // it may be stopped
	require.NoError(t, server.Stop())

	api := "http://" + readyAPI(h, map[string]string{"STAFFELN_REDIS_URL": server.URL}) // ready although Redis is away
	away := func() {
		t.Helper()
		status, body := ask(t, http.MethodGet, api+"/queues", queuesToken)
		require.Equal(t, http.StatusOK, status, body)
		status, body = ask(t, http.MethodGet, api+"/queues/api/queues", queuesToken)
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
		h.eventually("the page shows the queues", func() bool {
			status, _ := ask(t, http.MethodGet, api+"/queues/api/queues", queuesToken)
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

// The whole program in one process has the page too.
func TestQueuesPageOfAllInOne(t *testing.T) {
	t.Parallel()
	h := newHouse(t, cloudsim.Options{}, nil)
	env := maps.Clone(h.env)
	env["STAFFELN_API_LISTEN"], env["STAFFELN_API_QUEUES_TOKEN"] = freeAddress(t), queuesToken
	p := launch(t, env, "all")
	h.eventually("it is ready", func() bool { return answers(t, env["STAFFELN_API_LISTEN"], "http://127.0.0.1:8808/readyz") })
	page := "http://" + env["STAFFELN_API_LISTEN"] + "/queues"
	h.eventually("the page shows its own worker", func() bool {
		status, body := ask(t, http.MethodGet, page+"/api/servers", queuesToken)
		return status == http.StatusOK && strings.Contains(body, `"volumes"`)
	})
	status, _ := ask(t, http.MethodGet, page, "")
	require.Equal(t, http.StatusUnauthorized, status)
	p.stop()
	require.Zero(t, p.cmd.ProcessState.ExitCode())
	require.NotContains(t, p.log.String(), queuesToken)
}
