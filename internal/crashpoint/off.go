//go:build !crash

// Package crashpoint kills a process at a chosen call to the database, the queue or the cloud, for the tests of crashes.
// Only builds with the tag `crash` have crash points.
package crashpoint

import (
	"time"

	"github.com/redis/go-redis/v9"

	"staffeln/db"
	"staffeln/openstack"
)

// ReadinessPeriod is how often a process checks whether it is ready.
const ReadinessPeriod = 10 * time.Second

// Database returns the options of database connections.
func Database() []db.Option { return nil }

// Cloud returns the options of the cloud client.
func Cloud() []openstack.Option { return nil }

// Queue adds crash points to a client of the queue.
func Queue(redis.UniversalClient) {}
