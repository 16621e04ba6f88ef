package scheduler

import (
	"staffeln/backup"
	"staffeln/view/report"
)

// Config is what the environment tells the scheduler of its own work: the operator's rules, and nothing beside them.
type Config struct {
	backup.Settings
	report.Reporting
}
