// Package simulation runs the whole program, without its processes, for sixty days of an organisation with 30 servers and 80
// volumes. A calendar contains the actions of its people, its cloud and its operators. The test records what tenants want,
// what was promised to them, and what hindered the program (expectations), and package invariants judges the whole run.
//
// The cloud is cloudsim behind our own client, the database is real, and the queue is a model (internal/queuemodel). Time
// jumps from one event to the next.
package simulation
