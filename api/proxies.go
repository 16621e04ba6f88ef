package api

import (
	"fmt"
	"net"
	"strings"

	"github.com/labstack/echo/v4"
)

// Networks are of those whose word is taken for where a request came from.
type Networks []*net.IPNet

// UnmarshalText reads networks, or single addresses, divided by commas.
func (n *Networks) UnmarshalText(text []byte) error {
	*n = nil
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

// extractor answers whom a request is from: the next one, or who the nearest of ours that can be trusted says it is.
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
