package tasks

import (
	"context"
	"fmt"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// Workers returns how many workers are alive: each worker sends a heartbeat to Redis
// every five seconds, and is forgotten ten seconds after it died.
func Workers(rdb redis.UniversalClient) (int, error) {
	alive, err := asynq.NewInspectorFromRedisClient(rdb).Servers()
	if err != nil {
		return 0, fmt.Errorf("ask Redis for the workers: %w", err)
	}
	return len(alive), nil
}

// Workers returns how many workers are alive, by the client's Redis.
func (c *Client) Workers(context.Context) (int, error) { return Workers(c.rdb) }
