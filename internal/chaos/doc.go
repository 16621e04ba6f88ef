// Package chaos runs the whole program, without its processes, through random schedules: a seed chooses the order of runs
// and handlers, which process dies, stalls, is cut off or comes back, what the cloud, the database and the queue answer,
// what tenants do meanwhile, and how time passes. Then the faults end, everything comes to rest, and package invariants
// judges the course.
//
// The cloud is cloudsim behind our own client, the database a real one, the queue its model (internal/queuemodel). One
// run is one line of control: an actor runs until one of its calls to the outside, and then another one may run, so that a
// seed always gives the same run, to the last call.
package chaos
