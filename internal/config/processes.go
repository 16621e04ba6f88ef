package config

import (
	"errors"

	"staffeln/api"
	"staffeln/db"
	"staffeln/internal/telemetry"
	"staffeln/openstack"
	"staffeln/scheduler"
	"staffeln/tasks"
	"staffeln/worker"
)

// Structs to embed. They need different names: of two embedded structs named Config one would hide the other, and
// envconfig makes a field's name part of the prefix unless the field is embedded.
type (
	// Database says where the database is.
	Database = db.Config
	// Queue says where the queue's Redis is.
	Queue = tasks.Config
	// Monitoring says where a process serves metrics and health.
	Monitoring = telemetry.ServerConfig
	// Scheduler is what only the scheduler's decisions need.
	Scheduler = scheduler.Config
	// Worker is what only the worker's tasks need.
	Worker = worker.Config
)

// Logging says how a process writes its log.
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
	RedisURL string `split_words:"true" secret:"true" desc:"The Redis of the queue, as the other processes have it. Only the page of the queues needs it."`
	API      api.Config
}

// Validate returns an error if the page of the queues is wanted without a queue.
func (c *APIProcess) Validate() error {
	if c.RedisURL == "" && c.API.QueuesToken != "" {
		return errors.New("REDIS_URL: missing; required, here or as STAFFELN_REDIS_URL_FILE, because STAFFELN_API_QUEUES_TOKEN enables the page of the queues")
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
	Worker

	Openstack openstack.Config
	API       api.Config
}

// Migration is the configuration of `staffeln migrate`.
type Migration struct {
	Logging
	Database

	DatabaseAPIRole string `split_words:"true" desc:"Postgres role with which the api signs in to the database. Each migrate up lets it read, and write only the log of deletion requests and the page's sessions. Empty: the api uses the same database user as the others, and whoever takes over its process could change the records."`
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
