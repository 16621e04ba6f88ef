//go:build faults

package faults

import (
	"net/url"
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// proxies are toxiproxies, one for each pair of process and server, which can drop, delay and reset connections.
type proxies struct {
	t      *testing.T
	maker  *toxiproxy.ApiServer
	byName map[string]*toxiproxy.Proxy
}

func newProxies(t *testing.T) *proxies {
	t.Helper()
	return &proxies{t: t, maker: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), byName: map[string]*toxiproxy.Proxy{}}
}

// add creates a proxy to the server of a URL.
func (n *proxies) add(name, server string) {
	n.t.Helper()
	to, err := url.Parse(server)
	require.NoError(n.t, err)
	proxy := toxiproxy.NewProxy(n.maker, name, "127.0.0.1:0", to.Host)
	require.NoError(n.t, proxy.Start())
	n.t.Cleanup(proxy.Stop)
	n.byName[name] = proxy
}

// fail adds faults in toxiproxy's JSON to a proxy, until the returned function is called.
func (n *proxies) fail(name string, faults ...string) (endFault func()) {
	n.t.Helper()
	proxy := n.byName[name]
	for _, fault := range faults {
		_, err := proxy.Toxics.AddToxicJson(strings.NewReader(fault))
		require.NoError(n.t, err)
	}
	return func() { proxy.Toxics.ResetToxics(zerolog.Nop().WithContext(n.t.Context())) }
}
