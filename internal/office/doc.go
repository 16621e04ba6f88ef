// Package office lives through sixty days of an office of 30 servers and 80 volumes: a calendar of what its people, its
// cloud and its operators do, the whole program around it without its processes, and an oracle (package oracle) that
// knows only what was promised, the calendar, and what Cinder really has.
//
// The cloud is cloudsim behind our own client, the database a real one, the queue its model (internal/queuemodel). Time
// jumps from one event to the next.
package office
