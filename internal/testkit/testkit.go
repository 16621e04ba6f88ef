// Package testkit is what tests share: a Redis database and a Postgres database of their own, stepped time, and waiting
// for a condition instead of for a time.
//
// The servers come from `make test` (internal/testkit/servers), by TEST_DATABASE_URL and TEST_REDIS_URL. Without them
// a test fails; it is never skipped. A test that stops or kills a server starts its own: internal/testkit/private.
// Every package may import testkit in its tests, so testkit imports none of the product.
package testkit

import (
	"os"
	"testing"
)

// server answers the address of a server that the tests share, or fails the test.
func server(t testing.TB, variable string) string {
	t.Helper()
	url := os.Getenv(variable)
	if url == "" {
		t.Fatalf("%s is not set: run the tests by `make test`, which brings private servers, or single ones by "+
			"`go run ./internal/testkit/servers -- go test ./...`", variable)
	}
	return url
}
