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
type wiring struct {
	t     *testing.T
	maker *toxiproxy.ApiServer
	wires map[string]*toxiproxy.Proxy
}

func newWiring(t *testing.T) *wiring {
	t.Helper()
	return &wiring{t: t, maker: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), wires: map[string]*toxiproxy.Proxy{}}
}

// add creates a proxy to the server of a URL.
func (n *wiring) lay(name, server string) {
	n.t.Helper()
	to, err := url.Parse(server)
	require.NoError(n.t, err)
	wire := toxiproxy.NewProxy(n.maker, name, "127.0.0.1:0", to.Host)
	require.NoError(n.t, wire.Start())
	n.t.Cleanup(wire.Stop)
	n.wires[name] = wire
}

// fail adds faults in toxiproxy's JSON to a proxy, until the returned function is called.
func (n *wiring) spoil(name string, faults ...string) (mend func()) {
	n.t.Helper()
	wire := n.wires[name]
	for _, fault := range faults {
		_, err := wire.Toxics.AddToxicJson(strings.NewReader(fault))
		require.NoError(n.t, err)
	}
	return func() { wire.Toxics.ResetToxics(zerolog.Nop().WithContext(n.t.Context())) }
}
