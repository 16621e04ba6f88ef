package openstack

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
)

// slowNova returns a cloud with that many servers, whose Nova returns pages of at most that size. It counts the requests.
func slowNova(t *testing.T, servers, most int) (c *Cloud, asked func() int) {
	t.Helper()
	w := newSimulation(t, cloudsim.Options{})
	p := w.sim.AddProject("acme")
	for range servers {
		w.sim.AddServer(p, "web", nil)
	}
	w.sim.AddFault(cloudsim.MaxPage("GET /compute/v2.1/servers/detail", most))
	n := 0
	c = w.connect(t, retrying, InTurn(), WithObserver(func(_, route string, _ int, _ time.Duration) {
		if route == "/compute/v2.1/servers/detail" {
			n++
		}
	}))
	return c, func() int { defer func() { n = 0 }(); return n }
}

// A Nova that can't return large pages is read in small ones, and the size is stored (B3).
func TestPages_ShrinkIfLargePagesFail(t *testing.T) {
	c, asked := slowNova(t, 300, 100)
	for plan, requests := range []int{4 + 5, 5} { // 1000, 500, 250 and 125 fail; 62 works, five times
		seen, err := c.Observe(t.Context())
		require.NoError(t, err)
		require.Empty(t, seen.Unseen)
		require.Len(t, seen.Servers, 300)
		require.Equal(t, requests, asked(), "plan %d", plan)
	}
}

// If no page size works, the list is incomplete, after a bounded number of requests.
func TestPages_NoSizeWorks(t *testing.T) {
	c, asked := slowNova(t, 30, 5)
	seen, err := c.Observe(t.Context())
	require.NoError(t, err)
	require.Len(t, seen.Unseen, 1)
	require.LessOrEqual(t, asked(), 30)
}

// A server that was slow for a while gets large pages again.
func TestPages_GrowAgain(t *testing.T) {
	var k pageSizes
	k.failed("servers", 1000)
	k.failed("servers", 1000) // from another goroutine at the same time
	require.Equal(t, 500, k.of("servers", 1000))
	require.Equal(t, 1000, k.of("volumes", 1000))
	for range pagesBeforeGrowth {
		require.Equal(t, 500, k.of("servers", 1000))
		k.succeeded("servers", 500, 1000)
	}
	require.Equal(t, 1000, k.of("servers", 1000))
	for range 20 {
		k.failed("servers", k.of("servers", 1000))
	}
	require.Equal(t, minPage, k.of("servers", 1000))
}

// No call waits longer than an hour for the cloud, even if Retry-After is longer (B2).
func TestRetryAfterIsAnHourAtMost(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"20": 20 * time.Second, "604800": time.Hour, strconv.FormatUint(1<<31, 10): time.Hour, "-5": 0, "soon": 0,
		now.Add(time.Minute).Format(http.TimeFormat): time.Minute, now.AddDate(1, 0, 0).Format(http.TimeFormat): time.Hour,
	} {
		require.Equal(t, want, retryAfter(http.Header{"Retry-After": {value}}, now), value)
	}
}
