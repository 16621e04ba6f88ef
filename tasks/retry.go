package tasks

import (
	"errors"
	"time"

	"github.com/hibiken/asynq"

	"staffeln/backup"
)

// isFailure reports whether an error counts against the task's retries. A stopped worker and a lost lease are no fault of
// the task. (A task that kills its worker each time is therefore never archived: its record counts the attempts.)
func isFailure(err error) bool {
	return !errors.Is(err, errDraining) && !errors.Is(err, asynq.ErrLeaseExpired)
}

// retryDelay returns how long a task waits after an error, with n failures before: 1, 2, 4, ... seconds. It is never longer
// than the poll period, at which dispatch checks the row's own next try anyway.
func retryDelay(n int, err error, longest time.Duration) time.Duration {
	if !isFailure(err) {
		return 0
	}
	return backup.BackOff{First: time.Second, Longest: longest}.Pause(n + 1)
}
