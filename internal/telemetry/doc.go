// Package telemetry is how a process tells what it does: the log, the metrics, and whether it lives and is ready.
//
// It knows nothing of volumes, records or queues beyond their names in metrics, and imports nothing of ours.
package telemetry
