package main

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asked returns the page's response to a request, with the Redis at url.
func asked(t *testing.T, url, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	page, err := newQueuesPage(url)
	require.NoError(t, err)
	defer page.close()
	resp := httptest.NewRecorder()
	page.ServeHTTP(resp, httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
	return resp
}

const nobodyThere = "redis://127.0.0.1:1"

func TestQueuesPage_HasNoExternalLinksAndOnlyItsOwnScripts(t *testing.T) {
	for _, path := range []string{"/queues", "/queues/", "/queues/queues/volumes"} {
		resp := asked(t, nobodyThere, http.MethodGet, path)
		require.Equal(t, http.StatusOK, resp.Code)
		require.Equal(t, "text/html; charset=utf-8", resp.Header().Get("Content-Type"))
		html := resp.Body.String()
		require.Contains(t, html, `src="/queues/static/js/main.`)
		require.Contains(t, html, `window.FLAG_READ_ONLY="true"`)
		require.NotContains(t, html, "https://")
		require.NotContains(t, html, "manifest")

		policy := resp.Header().Get("Content-Security-Policy")
		scripts := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(html, -1)
		require.Len(t, scripts, 2)
		for _, script := range scripts {
			sum := sha256.Sum256([]byte(script[1]))
			assert.Contains(t, policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'", "a script of the page")
		}
		require.Equal(t, len(scripts), strings.Count(policy, "sha256-"))
	}
	for path, kind := range map[string]string{
		"/queues/static/js/main.5adda2da.chunk.js": "application/javascript; charset=utf-8", "/queues/favicon-16x16.png": "image/png",
	} {
		resp := asked(t, nobodyThere, http.MethodGet, path)
		require.Equal(t, http.StatusOK, resp.Code)
		require.Equal(t, kind, resp.Header().Get("Content-Type"))
		require.NotZero(t, resp.Body.Len())
	}
}

func TestQueuesPage_IsReadOnlyAndReportsThatRedisIsDown(t *testing.T) {
	require.Equal(t, http.StatusMethodNotAllowed, asked(t, nobodyThere, http.MethodPost, "/queues/api/queues/volumes:pause").Code)
	require.Equal(t, http.StatusMethodNotAllowed, asked(t, nobodyThere, http.MethodDelete, "/queues/api/queues/volumes").Code)

	away := asked(t, nobodyThere, http.MethodGet, "/queues/api/queues")
	require.Equal(t, http.StatusInternalServerError, away.Code)
	require.Equal(t, "text/plain; charset=utf-8", away.Header().Get("Content-Type"))
	require.Contains(t, away.Body.String(), "connection refused")

	page, err := newQueuesPage(nobodyThere)
	require.NoError(t, err)
	page.close()
	resp := httptest.NewRecorder()
	page.ServeHTTP(resp, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/queues/api/queues", http.NoBody))
	require.Contains(t, resp.Body.String(), "client is closed")

	_, err = newQueuesPage("redis://:geheim@h:port")
	require.ErrorContains(t, err, "hosts")
	require.NotContains(t, err.Error(), "geheim")
}
