package api

import (
	"fmt"
	"net"
	"strings"

	"github.com/labstack/echo/v4"
)

// Networks are the networks of trusted proxies, whose X-Forwarded-For is used.
type Networks []*net.IPNet

// UnmarshalText parses comma-separated networks or single addresses.
func (n *Networks) UnmarshalText(text []byte) error {
	*n = nil
	if len(text) == 0 {
		return nil
	}
	for word := range strings.SplitSeq(string(text), ",") {
		word = strings.TrimSpace(word)
		if ip := net.ParseIP(word); ip != nil {
			word += map[bool]string{true: "/32", false: "/128"}[ip.To4() != nil]
		}
		_, network, err := net.ParseCIDR(word)
		if err != nil {
			return fmt.Errorf("%.60q: want networks such as 10.0.0.0/8, divided by commas", word)
		}
		*n = append(*n, network)
	}
	return nil
}

// extractor returns the function that finds a request's client: the peer, or the nearest address in X-Forwarded-For that is
// not a trusted proxy.
func (n Networks) extractor() echo.IPExtractor {
	if len(n) == 0 {
		return echo.ExtractIPDirect()
	}
	trusted := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, network := range n {
		trusted = append(trusted, echo.TrustIPRange(network))
	}
	return echo.ExtractIPFromXFFHeader(trusted...)
}
