package api

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"staffeln/api/web"
)

func TestRun_AddedRoutesGetAllMiddleware(t *testing.T) {
	r := run(t, Config{RateLimit: 1}, func(d *Deps) {
		d.Routes = []Routes{func(e *echo.Echo) {
			e.GET("/v1/more", func(c echo.Context) error { return c.String(http.StatusOK, "more") })
		}}
	})
	for range burst {
		got, body := r.do(t, http.MethodGet, "/v1/more", "", nil)
		require.Equal(t, http.StatusOK, got.StatusCode)
		require.Equal(t, "more", body)
		require.NotEmpty(t, got.Header.Get("X-Request-Id"))
		require.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"))
		require.Equal(t, "default-src 'none'; frame-ancestors 'none'", got.Header.Get("Content-Security-Policy"))
		require.Empty(t, got.Header.Get("Strict-Transport-Security"))
	}
	for _, path := range []string{"/v1/more", "/nowhere"} {
		got, body := r.do(t, http.MethodGet, path, "", http.Header{"X-Request-Id": {"p"}, "X-Forwarded-For": {"192.0.2.7"}})
		require.Equal(t, http.StatusTooManyRequests, got.StatusCode)
		require.Equal(t, "1", got.Header.Get("Retry-After"))
		require.Equal(t, "application/problem+json", got.Header.Get("Content-Type"))
		require.JSONEq(t, `{"title":"Too Many Requests","status":429,"detail":"this client asks too often: wait a second","request_id":"p"}`, body)
	}
	for range 3 * burst {
		got, _ := r.do(t, http.MethodGet, "/v1/health", "", nil)
		require.Equal(t, http.StatusOK, got.StatusCode, "a probe is never refused")
	}
	require.ErrorContains(t, Config{RateLimit: -1}.Validate(), "RATE_LIMIT: want 0")
}

func TestClient_IsIPv4AddressOrIPv6Network(t *testing.T) {
	for address, is := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "::ffff:192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2::": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "": "", "nobody": "nobody",
	} {
		require.Equal(t, is, web.Client(address), address)
	}
}
