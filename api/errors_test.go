package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
)

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

// Programs get a problem, browsers a page, Cinder plain text, each with the request ID. No response contains what only the log
// should have.
func TestErrors_HaveOneFormatPerKindOfClient(t *testing.T) {
	k := runCheck(t, Config{RateLimit: 10}, func(d *Deps) {
		d.Trouble = func(c echo.Context, status int, detail string) error { return c.HTML(status, "<p>"+detail+"</p>") }
		d.Routes = []Routes{func(e *echo.Echo) {
			e.GET("/page", func(echo.Context) error { return errors.New("password is 123") })
			e.GET("/v1/more", func(echo.Context) error { return errors.New("password is 123") })
			e.POST("/page", func(c echo.Context) error { return c.Bind(new(map[string]string)) })
		}}
	})
	too := strings.Repeat("x", 65<<10)
	for name, c := range map[string]struct {
		method, path, body, accept string
		status                     int
		kind, detail               string
	}{
		"a program, nothing there":    {"GET", "/nowhere", "", "*/*", 404, "application/problem+json", "nothing at this path"},
		"a program, another method":   {"PUT", "/page", "", "", 405, "application/problem+json", "does not take the method PUT"},
		"a program, a fault of ours":  {"GET", "/page", "", "application/json", 500, "application/problem+json", "search its log for the request ID"},
		"a program, too much":         {"POST", "/page", too, "", 413, "application/problem+json", "too large: want at most 64K"},
		"the read API, in a browser":  {"GET", "/v1/nowhere", "", browser, 404, "application/problem+json", "nothing at this path"},
		"the read API, a fault":       {"GET", "/v1/more", "", browser, 500, "application/problem+json", "search its log for the request ID"},
		"a browser, nothing there":    {"GET", "/nowhere", "", browser, 404, "text/html; charset=UTF-8", "<p>there is nothing at this path</p>"},
		"a browser, another method":   {"DELETE", "/page", "", browser, 405, "text/html; charset=UTF-8", "does not take the method DELETE"},
		"a browser, a fault of ours":  {"GET", "/page", "", browser, 500, "text/html; charset=UTF-8", "search its log for the request ID"},
		"Cinder, another method":      {"GET", CheckPath + "?backup_id=" + unknown, "", "", 405, "text/plain; charset=UTF-8", "does not take the method GET"},
		"Cinder, no ID":               {"POST", CheckPath, "", "", 403, "text/plain; charset=UTF-8", "the query has no backup_id"},
		"Cinder's path, in a browser": {"POST", CheckPath + "?backup_id=x", "", browser, 400, "text/plain; charset=UTF-8", "backup_id is no UUID"},
		"health, with another method": {"DELETE", "/v1/health", "", "", 405, "application/problem+json", "does not take the method DELETE"},
		"almost Cinder's path":        {"POST", CheckPath + "/", "", "", 404, "application/problem+json", "nothing at this path"},
	} {
		got, reply := k.do(t, c.method, c.path, c.body, http.Header{"Accept": {c.accept}, "X-Request-Id": {"q-1"}})
		require.Equal(t, c.status, got.StatusCode, name)
		require.Equal(t, c.kind, got.Header.Get("Content-Type"), name)
		require.Equal(t, "q-1", got.Header.Get("X-Request-Id"), name)
		require.Contains(t, reply, c.detail, name)
		require.NotContains(t, strings.ToLower(reply), "true", name)
		require.NotContains(t, reply, "123", "%s: the cause is only in the log", name)
		if c.kind != "application/problem+json" {
			continue
		}
		var p struct {
			Title, Detail string
			Status        int
			RequestID     string `json:"request_id"`
		}
		require.NoError(t, json.Unmarshal([]byte(reply), &p), name)
		require.Equal(t, c.status, p.Status, name)
		require.Equal(t, http.StatusText(c.status), p.Title, name)
		require.Equal(t, "q-1", p.RequestID, name)
	}
	for range 2 * burst * 10 {
		k.do(t, http.MethodGet, "/nowhere", "", nil)
	}
	for accept, want := range map[string]string{"*/*": "application/problem+json", browser: "text/html; charset=UTF-8"} {
		got, reply := k.do(t, http.MethodGet, "/page", "", http.Header{"Accept": {accept}})
		require.Equal(t, http.StatusTooManyRequests, got.StatusCode)
		require.Equal(t, want, got.Header.Get("Content-Type"))
		require.Contains(t, reply, "asks too often")
	}
	_, reply := k.ask(t, unknown, "", "")
	require.Equal(t, "True", reply, "Cinder is never limited")
}
