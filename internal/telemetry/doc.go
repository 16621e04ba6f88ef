// Package telemetry is the observability of a process: log, metrics, liveness and readiness.
//
// It knows volumes, records and queues only as names in metrics, and imports no other package of Staffeln.
package telemetry
