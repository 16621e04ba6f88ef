package scheduler

import (
	"staffeln/backup"
	"staffeln/view/report"
)

// Config is the scheduler's part of the environment: the operator's policy and the settings of the reports.
type Config struct {
	backup.Settings
	report.Reporting
}
