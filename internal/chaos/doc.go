// Package chaos runs the whole program, without its processes, through random schedules: seeds choose the order of beats
// and handlers, who dies, stalls, is cut off or comes back, what the cloud, the database and the queue answer, what
// tenants do meanwhile, and how time passes. Then the faults end, the world comes to rest, and the laws are asked.
//
// The cloud is cloudsim behind our own client, the database a real one, the queue its model (internal/queuemodel). One
// run is one line of control: whoever runs hands over to the next one at each call to the outside, so that a seed brings
// the same run again, to the last call.
package chaos
