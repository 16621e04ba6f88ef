package tasks

import (
	"context"
	"fmt"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// Workers returns how many worker processes are alive. Each task server of a process sends a heartbeat to Redis every five
// seconds, and is forgotten ten seconds after it died; a process has several.
func Workers(rdb redis.UniversalClient) (int, error) {
	alive, err := asynq.NewInspectorFromRedisClient(rdb).Servers()
	if err != nil {
		return 0, fmt.Errorf("ask Redis for the workers: %w", err)
	}
	type process struct {
		host string
		pid  int
	}
	processes := map[process]bool{}
	for _, server := range alive {
		processes[process{server.Host, server.PID}] = true
	}
	return len(processes), nil
}

// Workers returns how many workers are alive, by the client's Redis.
func (c *Client) Workers(context.Context) (int, error) { return Workers(c.rdb) }
