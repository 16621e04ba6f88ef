package api

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const token = "0123456789abcdef"

// page writes the request that it got.
var page = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	_, _ = w.Write([]byte(q.Method + " " + q.URL.Path)) // the client is the test
})

func withPage(d *Deps) { d.Queues = page }

func basic(user, password string) http.Header {
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}}
}

func bearer(scheme, token string) http.Header {
	return http.Header{"Authorization": {scheme + " " + token}}
}

func TestQueues_AreShownWithToken(t *testing.T) {
	r := run(t, Config{QueuesToken: token}, withPage)
	for _, header := range []http.Header{basic("", token), basic("anybody", token), bearer("Bearer", token), bearer("bearer", token)} {
		for _, path := range []string{"/queues", "/queues/", "/queues/api/queues", "/queues/queues/volumes"} {
			got, body := r.do(t, http.MethodGet, path, "", header)
			require.Equal(t, http.StatusOK, got.StatusCode)
			require.Equal(t, "GET "+path, body)
			require.Equal(t, "default-src 'none'", got.Header.Get("Content-Security-Policy"))
			require.Equal(t, "no-store", got.Header.Get("Cache-Control"))
			require.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"))
			require.Equal(t, "DENY", got.Header.Get("X-Frame-Options"))
			require.Equal(t, "no-referrer", got.Header.Get("Referrer-Policy"))
		}
	}
	require.NotContains(t, r.log.String(), `"level":"warn"`)
	require.Contains(t, r.log.String(), `{"level":"info","request_id":"req-`)
	require.Regexp(t, `"level":"debug"[^\n]*"path":"/queues/api/queues","status":200`, r.log.String(), "an open page asks again and again")
}

func TestQueues_AreNotShownWithoutValidToken(t *testing.T) {
	r := run(t, Config{QueuesToken: token}, withPage)
	refused := func(header http.Header) {
		t.Helper()
		for _, path := range []string{"/queues", "/queues/api/queues"} {
			got, body := r.do(t, http.MethodGet, path, "", header)
			require.Equal(t, http.StatusUnauthorized, got.StatusCode)
			require.Equal(t, `Basic realm="Staffeln queues"`, got.Header.Get("WWW-Authenticate"))
			require.Contains(t, body, "sign in with the token")
			require.NotContains(t, body, path)
		}
	}
	refused(nil)
	require.NotContains(t, r.log.String(), `"level":"warn"`, "a browser begins so")
	wrong := "Fedcba9876543210"
	for _, header := range []http.Header{
		basic("anybody", wrong), basic("anybody", ""), basic(token, ""), basic("anybody", token+"0"), basic("anybody", token[:15]),
		bearer("Bearer", wrong), bearer("Bearer", ""), bearer("Bearer", token+" "+token),
	} {
		refused(header)
	}
	refused(bearer("Token", token))
	require.Equal(t, 16, strings.Count(r.log.String(), `"level":"warn"`))
	require.Regexp(t, `"level":"warn","request_id":"[^"]+","remote":"127\.0\.0\.1:\d+","message":"sign-in to the queue page refused"`, r.log.String())
	require.NotContains(t, r.log.String(), token)
	require.NotContains(t, r.log.String(), wrong)
}

func TestQueues_AreReadOnlyAndRejectCrossOriginRequests(t *testing.T) {
	r := run(t, Config{QueuesToken: token}, withPage)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
		for _, path := range []string{"/queues", "/queues/api/queues/volumes:pause"} {
			got, body := r.do(t, method, path, "", basic("", token))
			require.Equal(t, http.StatusMethodNotAllowed, got.StatusCode, method)
			require.Equal(t, "GET, HEAD", got.Header.Get("Allow"))
			require.Contains(t, body, "read-only")
		}
	}
	got, _ := r.do(t, http.MethodHead, "/queues", "", basic("", token))
	require.Equal(t, http.StatusOK, got.StatusCode)

	other := basic("", token)
	other.Set("Origin", "https://elsewhere.example.org")
	got, body := r.do(t, http.MethodPost, "/queues/api/queues/volumes:pause", "", other)
	require.Equal(t, http.StatusForbidden, got.StatusCode)
	require.Contains(t, body, "cross-origin")
	got, _ = r.do(t, http.MethodGet, "/queues", strings.Repeat("x", 65<<10), basic("", token))
	require.Equal(t, http.StatusRequestEntityTooLarge, got.StatusCode)
}

func TestQueues_AreOffIfNoTokenIsConfigured(t *testing.T) {
	for _, r := range []*running{run(t, Config{}, withPage), run(t, Config{QueuesToken: token})} {
		got, _ := r.do(t, http.MethodGet, "/queues", "", basic("", token))
		require.Equal(t, http.StatusNotFound, got.StatusCode)
		got, _ = r.do(t, http.MethodGet, "/queues/api/queues", "", basic("", ""))
		require.Equal(t, http.StatusNotFound, got.StatusCode)
	}
	require.NoError(t, Config{}.Validate())
	require.NoError(t, Config{QueuesToken: token}.Validate())
	require.NoError(t, Config{QueuesToken: strings.Repeat("ß", 16)}.Validate())
	require.ErrorContains(t, Config{QueuesToken: token[:15]}.Validate(), "QUEUES_TOKEN: too short: want at least 16")
	require.NotContains(t, Config{QueuesToken: "geheim"}.Validate().Error(), "geheim")
}
