// Package tasks is the queue client: the kinds of task, the dispatch run, and the server that runs the handlers.
//
// A task names a volume and carries no state: the state is in the volume's row in the database. So a task may be lost, run
// twice, or run late, and a loss of Redis loses nothing. The package knows Asynq and Redis, and nothing of records,
// decisions or the cloud. Its rules follow the real behaviour of Asynq and Redis; the code has a comment for each.
package tasks
