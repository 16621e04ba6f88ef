package backup

import "regexp"

// addresses are where the cloud's services are reached inside of it, as errors
// of HTTP clients, drivers and key managers name them.
var addresses = regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^\s"'<>)\],]+` +
	`|\bhost=['"][^'"]+['"](?:, port=\d+)?` +
	`|\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b` +
	`|\[[0-9a-fA-F:]*::?[0-9a-fA-F:]*\](?::\d+)?` +
	`|\b(dial tcp|lookup) [^\s:]+(?::\d+)?`)

// WithoutAddresses returns words without the cloud's inner addresses: tenants read what a
// record says, in the page, the API and their mails. The log has them in full.
func WithoutAddresses(words string) string {
	return addresses.ReplaceAllString(words, "(address)")
}
