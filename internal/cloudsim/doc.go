// Package cloudsim is a small OpenStack that is spoken to over HTTP: Keystone, Nova and Cinder with
// cinder-backup, as far as a backup service needs them.
//
// It is an independent reading of the API. It must not know the rest of this program, and imports nothing
// of it: whoever reads an answer wrongly on the client's side must not find the same mistake here.
// Bodies, status codes and rules follow what OpenStack Zed was measured to answer (Keystone 3.14,
// compute 2.93, volume 3.70); the tests of this package state those laws one by one.
//
// A [Cloud] is an http.Handler. It has no goroutine and no clock of its own: everything that takes time
// (a backup in progress, a deletion, a restore) is settled at the beginning of the next request, or of the
// next call of the Go API, in the order of time, for the moment that Options.Now says.
//
// The methods of Cloud are the world's hand: they do what operators, tenants and accidents do, past every
// policy. An identifier that does not exist is a mistake of the test and panics.
package cloudsim
