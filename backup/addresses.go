package backup

import "regexp"

// addresses matches the internal addresses of the cloud's services, as errors of HTTP clients, drivers and key
// managers contain them.
var addresses = regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^\s"'<>)\],]+` +
	`|\bhost=['"][^'"]+['"](?:, port=\d+)?` +
	`|\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b` +
	`|\[[0-9a-fA-F:]*::?[0-9a-fA-F:]*\](?::\d+)?` +
	`|\b(dial tcp|lookup) [^\s:]+(?::\d+)?`)

// WithoutAddresses returns words without the cloud's internal addresses: tenants read a record's text in the page,
// the API and their mails. The log has the full text.
func WithoutAddresses(words string) string {
	return addresses.ReplaceAllString(words, "(address)")
}
