// Package queuemodel is a model of the queue without Redis and without a clock. Tests step its clock, and choose which task
// starts next and what is lost.
//
// The model has the visible behaviour of package tasks and Asynq together, as measured: one ID per volume, conflicts,
// replacement by kind, another run after an error, after the death of a worker or after an end that Redis did not receive, and
// the loss of all data while handlers run. The tests check the same contract on the real queue: change both together.
//
// A Queue is not safe for concurrent use.
package queuemodel
