// Package api is the process that answers: the delete check that Cinder asks, health, metrics, and the page of the queues.
//
// It knows the memory and that page only by what is handed in, and nothing of the queue or the cloud.
package api
