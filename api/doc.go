// Package api is the process that answers: health and metrics.
//
// It knows the memory only by what is handed in, and nothing of the queue or the cloud.
package api
