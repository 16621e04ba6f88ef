// Package chaos runs the whole program, without its processes, through random schedules. A seed chooses the order of runs and
// handlers; which process dies, stalls, is disconnected or returns; the responses of cloud, database and queue; what tenants
// do; and how time passes. Then the faults end, everything becomes idle, and package invariants judges the run.
//
// The cloud is cloudsim behind our own client, the database is real, and the queue is a model (internal/queuemodel). One run
// has one thread of execution: an actor runs until one of its external calls, and then another one may run. So a seed always
// gives the same run, up to the last call.
package chaos
