package worker

import "staffeln/backup"

// Config is the worker's own; the operator's rules are those of the scheduler.
type Config struct {
	backup.Settings

	WorkerConcurrency int `split_words:"true" default:"20" min:"1" unit:"tasks" desc:"Tasks that one worker runs at the same time. More ask more of Cinder's API at once; how many backups are made at the same time is the caps' affair."`
}
