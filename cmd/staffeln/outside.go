//go:build !crash

package main

import (
	"github.com/redis/go-redis/v9"

	"staffeln/db"
	"staffeln/openstack"
)

// boundary is what stands at the boundaries of the process: nothing, but in a build for the tests of crashes.
type boundary struct {
	database []db.Option
	cloud    []openstack.Option
}

func boundaries() boundary { return boundary{} }

func (boundary) queue(redis.UniversalClient) {}
