//go:build !crash

// Package crashpoint kills a process at a chosen call to the database, the queue or the cloud, for crash tests. Only builds
// with the tag `crash` have crash points.
package crashpoint

import (
	"time"

	"github.com/redis/go-redis/v9"

	"staffeln/db"
	"staffeln/openstack"
)

// ReadinessPeriod is how often a process checks its readiness.
const ReadinessPeriod = 10 * time.Second

// HeartbeatPeriod is how often a scheduler or worker records that it is alive.
const HeartbeatPeriod = 15 * time.Second

// Database returns the options of database connections.
func Database() []db.Option { return nil }

// Cloud returns the options of the cloud client.
func Cloud() []openstack.Option { return nil }

// Queue adds crash points to a queue client.
func Queue(redis.UniversalClient) {}
