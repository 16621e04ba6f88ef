// Package tasks is the hatch to the queue: the kinds of task, the dispatch run, and the server that runs the handlers.
//
// A task names a volume and carries no truth: that is the row's in the database. So a task may be lost, run twice, or
// run late, and losing Redis loses nothing. The package knows Asynq and Redis, and nothing of records, decisions or
// the cloud. What Asynq and Redis really do decided its rules; each stands beside the code that follows it.
package tasks
