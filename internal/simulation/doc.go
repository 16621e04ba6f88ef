// Package simulation runs the whole program, without its processes, through sixty days of an organisation with 30 servers and
// 80 volumes: a calendar says what its people, its cloud and its operators do. What tenants want, what was promised to them
// and what kept the program from its work is noted beside it (expectations), and package invariants judges the whole course.
//
// The cloud is cloudsim behind our own client, the database a real one, the queue its model (internal/queuemodel). Time
// jumps from one event to the next.
package simulation
