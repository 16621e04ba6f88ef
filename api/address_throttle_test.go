package api

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/telemetry"
)

func TestAddressThrottle_DelaysFastAddressOnlyWhileOthersSendRequests(t *testing.T) {
	p, now := newAddressThrottle(), time.Minute
	p.now = func() time.Duration { return now }
	for range 10_000 {
		require.Zero(t, p.delay("a", 0), "alone")
	}
	delayed, longest := 0, time.Duration(0)
	for range 5 { // Cinder sends 100 requests per second, another client as many as it can.
		for range 100 {
			now += 10 * time.Millisecond
			require.Zero(t, p.delay("cinder", 0), "it sends fewer requests than the shared rate")
			for range 30 {
				if d := p.delay("a", 0); d > 0 {
					delayed++
					longest = max(longest, d)
				}
			}
		}
	}
	require.Equal(t, 15_000-sharedRate/10, delayed)
	require.Equal(t, maxDelay, longest)
	for _, length := range []int64{-1, bodyMost, 1 << 40} {
		at, alike := newAddressThrottle(), newAddressThrottle()
		at.now, alike.now = p.now, p.now
		for _, address := range []string{"cinder", "a"} {
			at.delay(address, 0)
			alike.delay(address, 0)
		}
		at.delay("a", length)
		for range 1 + bodyMost/bodyUsual {
			alike.delay("a", 0)
		}
		require.Equal(t, alike.delay("a", bodyUsual), at.delay("a", bodyUsual), "a long body counts as many requests")
		require.Positive(t, at.delay("a", 0))
	}
	now += sharedTime + 1
	require.Zero(t, p.delay("a", 0), "alone again")
	for i := range 2 * maxClients {
		p.delay(fmt.Sprint(i), 0)
	}
	require.LessOrEqual(t, len(p.clients.known), maxClients+1)

	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range sharedRate {
		p.delay("b", 0)
	}
	require.True(t, p.wait(over, "b", 0), "no delay for a client that disconnected")
	require.Empty(t, p.slots)
	for range maxWaiting {
		p.slots <- struct{}{}
	}
	clear(p.clients.known)
	for range sharedRate {
		p.delay("b", 0)
	}
	require.False(t, p.wait(over, "b", 0), "too many requests are delayed already")
	require.True(t, p.wait(over, "nobody", 0), "a request without delay needs no slot")
}

// How fast responses come depends on the machine's load, so the test checks only the minimum delay.
func TestCheck_DelaysFastAddressBesideOthers(t *testing.T) {
	cfg := Config{}
	require.NoError(t, cfg.TrustedProxies.UnmarshalText([]byte("127.0.0.0/8")))
	k := runCheck(t, cfg)
	ask := func(from string) {
		got, reply := k.do(t, http.MethodPost, CheckPath+"?backup_id="+unknown, "a=b", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "X-Forwarded-For": {from}})
		require.Equal(t, http.StatusOK, got.StatusCode)
		require.Equal(t, "True", reply, "delayed, but correct")
	}
	ask("198.51.100.1")
	watch := telemetry.Stopwatch()
	const requests = sharedRate
	for range requests {
		ask("198.51.100.2")
	}
	require.GreaterOrEqual(t, watch(), time.Second*(requests-sharedRate/10-1)/sharedRate)
}
