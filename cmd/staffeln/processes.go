package main

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

// Names to embed: of two embedded structs named Config one would hide the other, and envconfig takes a field's name for
// a prefix unless it is embedded.
type (
	// Logging is how a process writes its log.
	Logging = telemetry.Config
	// Monitoring is where a process serves metrics and health.
	Monitoring = telemetry.ServerConfig
	// Database is where the memory is.
	Database = db.Config
	// Queue is where the tasks are.
	Queue = tasks.Config
	// Scheduler is the deciding process's own configuration.
	Scheduler = scheduler.Config
	// Worker is the acting process's own configuration.
	Worker = worker.Config
)

type schedulerConfig struct {
	Logging
	Monitoring
	Database
	Queue
	Scheduler

	Openstack openstack.Config
}

type workerConfig struct {
	Logging
	Monitoring
	Database
	Queue
	Worker

	Openstack openstack.Config
}

type apiConfig struct {
	Logging
	Database
	// By the scheduler's rules it is judged what is late and what comes next.
	Scheduler

	// The variable of Queue, which requires it.
	RedisURL string `split_words:"true" secret:"true" desc:"The Redis of the queue, as the other processes have it; asked for nothing but the page of the queues."`
	API      api.Config
}

// Validate tells a page of the queues without a queue.
func (c *apiConfig) Validate() error {
	if c.RedisURL == "" && c.API.QueuesToken != "" {
		return errors.New("REDIS_URL: missing; required, here or as STAFFELN_REDIS_URL_FILE, where STAFFELN_API_QUEUES_TOKEN asks for the page of the queues")
	}
	return Queue{RedisURL: c.RedisURL}.Validate()
}

type allConfig struct {
	Logging
	Monitoring
	Database
	Queue
	Scheduler
	Worker

	Openstack openstack.Config
	API       api.Config
}

type migrateConfig struct {
	Logging
	Database

	DatabaseAPIRole string `split_words:"true" desc:"Role of Postgres that the api signs in to the database as: each migrate up lets it read, and write who asked to delete backups and what the page's sessions need, and nothing more. Empty = the api has the same user as the others, and whoever takes its process over could change the records."`
}

type cloudsimConfig struct{ Logging }

func (c *schedulerConfig) logging() Logging { return c.Logging }
func (c *workerConfig) logging() Logging    { return c.Logging }
func (c *apiConfig) logging() Logging       { return c.Logging }
func (c *allConfig) logging() Logging       { return c.Logging }
func (c *migrateConfig) logging() Logging   { return c.Logging }
func (c *cloudsimConfig) logging() Logging  { return c.Logging }

// A process is a subcommand with a configuration of its own.
type process struct {
	name   string
	config any  // pointer to its struct
	cloud  bool // it also reads OS_*
}

// processes lists all of them, with fresh structs: what is in none of these is an unknown variable.
func processes() []process {
	return []process{
		{"scheduler", new(schedulerConfig), true},
		{"worker", new(workerConfig), true},
		{"api", new(apiConfig), false},
		{"all", new(allConfig), true},
		{"migrate", new(migrateConfig), false},
		{"cloudsim", new(cloudsimConfig), false},
	}
}
