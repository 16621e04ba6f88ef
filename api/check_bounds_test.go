package api

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
)

func TestTurns_AddressesTakeTurns(t *testing.T) {
	turns := newTurns(1, 1, 100)
	require.NoError(t, turns.take(t.Context(), "a"))
	served := make(chan string, 100)
	wait := func(address string, waiting int) {
		go func() {
			if turns.take(t.Context(), address) == nil {
				served <- address
			}
		}()
		testkit.Eventually(t, "it waits", time.Minute, func() bool { turns.mu.Lock(); defer turns.mu.Unlock(); return turns.waiting == waiting })
	}
	for i := range 20 {
		wait("a", i+1)
	}
	wait("b", 21)
	for range 2 {
		turns.release("a") // a holds the slot
		if <-served == "b" {
			return
		}
	}
	t.Fatal("b waited for all of a")
}

func TestTurns_FullQueueRejectsOnlyAddressThatFillsIt(t *testing.T) {
	turns := newTurns(1, 1, 4)
	require.NoError(t, turns.take(t.Context(), "a"))
	ended := make(chan string, 10)
	start := func(address string, waiting int) {
		go func() {
			err := turns.take(t.Context(), address)
			ended <- fmt.Sprint(address, err == nil)
			if err == nil {
				turns.release(address)
			}
		}()
		testkit.Eventually(t, "it waits", time.Minute, func() bool { turns.mu.Lock(); defer turns.mu.Unlock(); return turns.waiting == waiting })
	}
	for i := range 4 {
		start("a", i+1)
	}
	require.ErrorIs(t, turns.take(t.Context(), "a"), errOverloaded)
	start("b", 4)
	require.Equal(t, "afalse", <-ended)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, turns.take(over, "c"), "a client that disconnected leaves the queue")
	require.Equal(t, "afalse", <-ended, "it displaced a request of the longest queue first")
	turns.release("a")
	got := map[string]int{}
	for range 3 {
		got[<-ended]++
	}
	require.Equal(t, map[string]int{"atrue": 2, "btrue": 1}, got)
	testkit.Eventually(t, "all slots are released", time.Minute, func() bool { turns.mu.Lock(); defer turns.mu.Unlock(); return turns.inProgress == 0 })
	require.Zero(t, turns.waiting)
	require.Empty(t, turns.lines)
}

func TestIntake_AbortsReadOfAddressWithMostBytes(t *testing.T) {
	i := newIntake(100)
	ended := map[string]int{}
	end := func(who string) func() { return func() { ended[who]++ } }
	i.take("slow", 40, end("slow, the first"))
	second := i.take("slow", 40, end("slow, the second"))
	cinder := i.take("cinder", 20, end("cinder"))
	require.Empty(t, ended)
	i.take("cinder", 20, end("cinder"))
	require.Equal(t, map[string]int{"slow, the first": 1}, ended)
	i.release(second)
	i.release(second)
	i.release(cinder)
	require.Equal(t, 20, i.held)
	i.take("slow", 100, end("slow"))
	require.Equal(t, 100, i.held)
	require.Equal(t, 1, ended["cinder"], "nothing else is left")
}

func TestCheck_RejectsIncompleteAndCompressedBodies(t *testing.T) {
	k := runCheck(t, Config{})
	address := strings.TrimPrefix(k.url, "http://")
	raw := func(header, body string) string {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		_, err = io.WriteString(conn, "POST /v1/backup?backup_id="+unknown+" HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"+header+"\r\n"+body)
		require.NoError(t, err)
		if strings.Contains(header, "shut") {
			require.NoError(t, conn.(*net.TCPConn).CloseWrite()) //nolint:forcetypeassert,errcheck // as dialled
		}
		reply, _ := io.ReadAll(conn)
		return string(reply)
	}
	long := strings.Repeat(" ", bodyMost)
	for name, c := range map[string]struct{ header, body, status string }{
		"Content-Length too long":     {"Content-Length: 131073\r\n", "", "413"},
		"chunked, and too long":       {"Transfer-Encoding: chunked\r\nConnection: close\r\n", fmt.Sprintf("%x\r\n%s\r\n3\r\n{} \r\n0\r\n\r\n", len(long), long), "413"},
		"chunked":                     {"Transfer-Encoding: chunked\r\nConnection: close\r\n", "2\r\n{}\r\n0\r\n\r\n", "200"},
		"shorter than Content-Length": {"Content-Length: 10\r\nX: shut\r\n", "{}", "400"},
		"longer than Content-Length":  {"Content-Length: 2\r\nConnection: close\r\n", "{}{}", "200"},
		"slow":                        {"Content-Length: 10\r\n", "{", "400"},
		"gzip":                        {"Content-Length: 2\r\nContent-Encoding: gzip\r\n", "{}", "415"},
		"deep":                        {"Content-Length: 100000\r\n", strings.Repeat("[", 100_000), "400"},
		"deep, in the target":         {"Content-Length: 100010\r\n", `{"target":` + strings.Repeat("[", 100_000), "400"},
		"deep, in an ignored key":     {"Connection: close\r\nContent-Length: 8006\r\n", `{"x":` + strings.Repeat("[", 4_000) + strings.Repeat("]", 4_000) + `}`, "200"},
		"a key twice":                 {"Content-Length: 24\r\n", `{"target":{},"target":{}}`[:24], "400"},
		"a target's key twice":        {"Content-Length: 34\r\n", `{"target":{"id":"a","id":"b"}}    `, "400"},
		"a key in another case":       {"Content-Length: 34\r\nConnection: close\r\n", `{"target":{"ID":"a","id":null}}   `, "200"},
		"text after the object":       {"Content-Length: 4\r\n", `{}{}`, "400"},
	} {
		reply := raw(c.header, c.body)
		require.True(t, strings.HasPrefix(reply, "HTTP/1.1 "+c.status+" "), "%s: %s", name, reply)
		if c.status != "200" {
			require.NotContains(t, reply, "True", name)
		}
	}
}

func TestCheck_JudgementIsRightWhileBodyMemoryIsFull(t *testing.T) {
	k := runCheck(t, Config{})
	address := strings.TrimPrefix(k.url, "http://")
	header := "POST /v1/backup?backup_id=" + unknown + " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 131072\r\n\r\n{"
	openSlowClients(t, address, maxBodyBytes/bodyMost+50, header)
	for range 20 {
		k.client.CloseIdleConnections()
		k.asksAs(t, recorded(backup.Available), alice, "False")
		k.asksAs(t, unknown, alice, "True")
	}
}

func TestProbes_ResponseIsCached(t *testing.T) {
	var requests atomic.Int64
	probe := &recent{handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		requests.Add(1)
		assert.Empty(t, q.Header.Get("Accept-Encoding"))
		w.WriteHeader(http.StatusTeapot)
	})}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // a client that disconnects must not spoil the response of the others
	request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/readyz", http.NoBody)
	request.Header.Set("Accept-Encoding", "gzip")
	for range 100 {
		require.Equal(t, http.StatusTeapot, probe.response(request).status)
	}
	require.EqualValues(t, 1, requests.Load())
	probe.since = func() time.Duration { return recentTime }
	probe.response(request)
	require.EqualValues(t, 2, requests.Load())
}

func TestDelays_DelaysFastAddressWithinBounds(t *testing.T) {
	d := newDelays()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	request := httptest.NewRequestWithContext(over, http.MethodGet, "/readyz", http.NoBody)
	watch := telemetry.Stopwatch()
	for range delayBurst {
		require.True(t, d.wait(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", http.NoBody), "a"))
	}
	require.Less(t, watch(), delayTime*delayBurst)
	require.True(t, d.wait(request, "b"), "another address")
	for range maxDelayed {
		d.slots <- struct{}{}
	}
	for range delayBurst {
		d.wait(request, "a")
	}
	require.False(t, d.wait(request, "a"))
	for i := range 2 * delayClients {
		d.allow(fmt.Sprint(i))
	}
	require.LessOrEqual(t, len(d.clients.known), delayClients+1)
}
