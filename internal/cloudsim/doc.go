// Package cloudsim is a small simulated OpenStack with an HTTP API: Keystone, Nova, Cinder with cinder-backup, and Barbican, as far as a
// backup service needs them.
//
// It is an independent implementation of the API. It does not know the rest of this program and imports nothing of it, so
// that a client's misunderstanding of the API is not repeated here. Bodies, status codes and rules are those that OpenStack Zed
// was measured to return (Keystone 3.14, compute 2.93, volume 3.70), or those of a newer release (release.go); the tests of this package check them one by one.
//
// A [Cloud] is an http.Handler. It has no goroutine and no clock of its own. Operations that take time (a backup, a deletion, a
// restore) are completed at the start of the next request or the next call of the Go API, in the order of time, up to the
// time of Options.Now.
//
// The methods of Cloud do what operators, tenants and accidents do, without any policy check. An unknown identifier is an
// error in the test and panics.
package cloudsim
