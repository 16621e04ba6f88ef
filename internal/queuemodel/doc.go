// Package queuemodel is a model of the queue, as it was measured, without Redis and without a clock of its own: for tests that
// step the clock, and choose what starts next and what is lost.
//
// It repeats what package tasks and Asynq do together, as far as that is visible from outside: one ID per
// volume, conflicts, replacement by kind, another run after an error, after a worker's death or after an end that Redis
// did not hear of, and the loss of all data under running handlers. Its tests check the same behaviour
// on the real queue; whoever changes one changes both.
//
// A Queue is for one goroutine.
package queuemodel
