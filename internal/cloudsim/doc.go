// Package cloudsim is a small simulated OpenStack with an HTTP API: Keystone, Nova and Cinder with cinder-backup, as far as a
// backup service needs them.
//
// It is an independent implementation of the API. It does not know the rest of this program and imports nothing of it, so
// that a wrong reading of the API in the client is not repeated here. Bodies, status codes and rules are what OpenStack Zed
// was measured to answer (Keystone 3.14, compute 2.93, volume 3.70); the tests of this package check them one by one.
//
// A [Cloud] is an http.Handler. It has no goroutine and no clock of its own. Everything that takes time (a backup in progress,
// a deletion, a restore) is settled at the beginning of the next request or the next call of the Go API, in the order of time,
// up to the time of Options.Now.
//
// The methods of Cloud do what operators, tenants and accidents do, without any policy check. An unknown identifier is an
// error in the test and panics.
package cloudsim
