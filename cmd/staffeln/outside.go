//go:build !crash

package main

import (
	"time"

	"github.com/redis/go-redis/v9"

	"staffeln/db"
	"staffeln/openstack"
)

// readinessPeriod is how often a process looks whether what it needs is there.
const readinessPeriod = 10 * time.Second

// boundary is what stands at the boundaries of the process: nothing, but in a build for the tests of crashes.
type boundary struct {
	database []db.Option
	cloud    []openstack.Option
}

func boundaries() boundary { return boundary{} }

func (boundary) queue(redis.UniversalClient) {}
