package rig

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// FreeAddress returns an unused loopback address with a free port.
func FreeAddress(t testing.TB) string {
	t.Helper()
	host := fmt.Sprintf("127.%d.%d.%d", 1+rand.N(254), rand.N(256), 1+rand.N(254)) //nolint:gosec // no secret
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", host+":0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// Responds reports whether a process is healthy. It sends the request of the health check to the address of the process.
func Responds(t testing.TB, listen, check string) bool {
	t.Helper()
	u, err := url.Parse(check)
	require.NoError(t, err)
	require.Contains(t, []string{"127.0.0.1:9808", "127.0.0.1:8808"}, u.Host, "the processes listen there by default")
	u.Host = listen
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.String(), http.NoBody)
	require.NoError(t, err)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	a, err := client.Do(q)
	if err != nil {
		return false
	}
	require.NoError(t, a.Body.Close())
	return a.StatusCode == http.StatusOK
}

// QueuesToken is the token of the queues page.
const QueuesToken = "0123456789abcdef"

// Pending returns the number of tasks that wait in the queue.
func Pending(h *Deployment) int {
	return int(h.Redis.LLen(h.Ctx, "asynq:{volumes}:pending").Val())
}

// ServeQueues waits for the given number of pending tasks, starts an api and returns the URL of its queues page.
func ServeQueues(h *Deployment, tasks int) string {
	h.T.Helper()
	h.Eventually("every volume has its task", func() bool { return Pending(h) == tasks })
	return "http://" + ServeAPI(h, nil) + "/queues"
}

// ServeAPI starts an api with the token and returns its address.
func ServeAPI(h *Deployment, change map[string]string) string {
	h.T.Helper()
	env := maps.Clone(h.Env)
	env["STAFFELN_API_LISTEN"], env["STAFFELN_API_QUEUES_TOKEN"] = FreeAddress(h.T), QueuesToken
	maps.Copy(env, change)
	Launch(h.T, env, "api")
	h.Eventually("the api is ready", func() bool { return Responds(h.T, env["STAFFELN_API_LISTEN"], "http://127.0.0.1:8808/readyz") })
	return env["STAFFELN_API_LISTEN"]
}
