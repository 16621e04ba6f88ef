// Package api is the process that answers: health, metrics, and the page of the queues.
//
// It knows the memory and that page only by what is handed in, and nothing of the queue or the cloud.
package api
