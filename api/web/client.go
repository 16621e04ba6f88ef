package web

import "net/netip"

// Client returns the key by which a client is counted: the address, or its /64 network for IPv6, since one client has 2^64
// addresses there.
func Client(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	network, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return network.String()
}
