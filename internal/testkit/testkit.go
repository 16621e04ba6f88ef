// Package testkit is the common part of the tests: a Redis database and a Postgres database per test, stepped clocks, and
// waiting for a condition instead of sleeping.
//
// `make test` (internal/testkit/servers) starts the servers and sets TEST_DATABASE_URL and TEST_REDIS_URL. Without them a test
// fails; it is never skipped. A test that stops or kills a server starts its own: internal/testkit/private. Tests of every
// package may import testkit, so testkit imports no package of the product.
package testkit

import (
	"os"
	"testing"
)

// server returns the URL of a shared server, or fails the test.
func server(t testing.TB, variable string) string {
	t.Helper()
	url := os.Getenv(variable)
	if url == "" {
		t.Fatalf("%s is not set: run the tests by `make test`, which brings private servers, or single ones by "+
			"`go run ./internal/testkit/servers -- go test ./...`", variable)
	}
	return url
}
