package config

import (
	"errors"

	"staffeln/api"
	"staffeln/db"
	"staffeln/internal/alerting"
	"staffeln/internal/telemetry"
	"staffeln/openstack"
	"staffeln/scheduler"
	"staffeln/tasks"
	"staffeln/worker"
)

// Structs to embed. They need different names: of two embedded structs named Config one would hide the other, and
// envconfig makes a field's name part of the prefix unless the field is embedded.
type (
	// Database is the connection to the database.
	Database = db.Config
	// Queue is the connection to the queue's Redis.
	Queue = tasks.Config
	// Monitoring is where a process serves metrics and health.
	Monitoring = telemetry.ServerConfig
	// Scheduler is what only the scheduler's decisions need.
	Scheduler = scheduler.Config
	// Alerting has the receivers of the leading scheduler's heartbeat and findings.
	Alerting = alerting.Receivers
	// Worker is what only the worker's tasks need.
	Worker = worker.Config
)

// Logging is the log configuration of a process.
type Logging struct{ telemetry.Config }

// LogConfig returns it, as the promoted method of each process's configuration.
func (l *Logging) LogConfig() telemetry.Config { return l.Config }

// SchedulerProcess is the configuration of `staffeln scheduler`.
type SchedulerProcess struct {
	Logging
	Monitoring
	Database
	Queue
	Scheduler
	Alerting

	Openstack openstack.Config
}

// WorkerProcess is the configuration of `staffeln worker`.
type WorkerProcess struct {
	Logging
	Monitoring
	Database
	Queue
	Worker

	Openstack openstack.Config
}

// APIProcess is the configuration of `staffeln api`.
type APIProcess struct {
	Logging
	Database
	Scheduler // the scheduler's rules decide what is late and what comes next

	// The variable of Queue, which requires it.
	RedisURL string `split_words:"true" secret:"true" desc:"Redis of the queue, the same as for the other processes. Only the queue page needs it."`
	API      api.Config
}

// Validate returns an error if the queue page is wanted without a queue.
func (c *APIProcess) Validate() error {
	if c.RedisURL == "" && c.API.QueuesToken != "" {
		return errors.New("REDIS_URL: missing; required, here or as STAFFELN_REDIS_URL_FILE, because STAFFELN_API_QUEUES_TOKEN enables the queue page")
	}
	return Queue{RedisURL: c.RedisURL}.Validate()
}

// All is the configuration of `staffeln all`.
type All struct {
	Logging
	Monitoring
	Database
	Queue
	Scheduler
	Alerting
	Worker

	Openstack openstack.Config
	API       api.Config
}

// Migration is the configuration of `staffeln migrate`.
type Migration struct {
	Logging
	Database

	DatabaseAPIRole string `split_words:"true" desc:"Postgres role of the api's database user. Each migrate up grants it read access, and write access only to the log of deletion requests and the page's sessions. Empty: the api uses the same database user as the other processes, so an attacker who takes over the api could change the records."`
}

// A Process is a subcommand with a configuration of its own.
type Process struct {
	Name   string
	Config any  // pointer to its struct
	Cloud  bool // it also reads OS_*
}

// Processes returns all of them, with new structs. A variable that is in none of these is unknown.
func Processes() []Process {
	return []Process{
		{"scheduler", new(SchedulerProcess), true},
		{"worker", new(WorkerProcess), true},
		{"api", new(APIProcess), false},
		{"all", new(All), true},
		{"migrate", new(Migration), false},
	}
}
