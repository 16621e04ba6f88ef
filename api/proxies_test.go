package api

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// Only configured proxies are trusted: anyone can write a header.
func TestForwardedForIsUsedOnlyFromTrustedProxies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ trusted, from, forwarded, want string }{
		"no trusted proxy":         {"", "10.0.0.1:1", "198.51.100.7", "10.0.0.1"},
		"a trusted proxy":          {"10.0.0.0/8", "10.0.0.1:1", "198.51.100.7", "198.51.100.7"},
		"one address":              {"10.0.0.1, fd00::1", "10.0.0.1:1", "198.51.100.7", "198.51.100.7"},
		"another address":          {"10.0.0.1", "10.0.0.2:1", "198.51.100.7", "10.0.0.2"},
		"set by the client itself": {"10.0.0.0/8", "10.0.0.1:1", "127.0.0.1, 198.51.100.7", "198.51.100.7"},
		"loopback is not trusted":  {"10.0.0.0/8", "127.0.0.1:1", "198.51.100.7", "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n Networks
			if c.trusted != "" {
				require.NoError(t, n.UnmarshalText([]byte(c.trusted)))
			}
			q := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			q.RemoteAddr = c.from
			q.Header.Set("X-Forwarded-For", c.forwarded)
			require.Equal(t, c.want, n.extractor()(q))
		})
	}
	for _, wrong := range []string{"x", "10.0.0.0/33", "10.0.0.1,", "proxy.example.org"} {
		require.ErrorContains(t, new(Networks).UnmarshalText([]byte(wrong)), "want networks such as")
	}
}
