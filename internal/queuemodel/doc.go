// Package queuemodel is the queue as it was measured to behave, without Redis and without time of its own: for tests
// that step the clock, and choose what starts next and what is lost.
//
// It says again what package tasks and Asynq do between them, as far as it can be seen from outside: one ID per
// volume, conflicts, replacement by kind, another run after an error, after a worker's death or after an end that Redis
// did not hear of, and the loss of all data under running handlers. Its tests hold the same behaviours to the real
// queue; who changes one of the two changes both.
//
// A Queue is for one goroutine.
package queuemodel
