package tasks

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Health is what Redis says about itself.
type Health struct {
	Version             string
	Hidden              bool // it does not tell its configuration to our user
	AppendOnly          bool
	Eviction            string // maxmemory-policy
	UsedBytes, MaxBytes int64  // MaxBytes 0: no bound of its own
}

// Examine asks Redis about itself; of a cluster any one of its masters.
func Examine(ctx context.Context, rdb redis.UniversalClient) (Health, error) {
	text, err := rdb.Info(ctx).Result()
	if err != nil {
		return Health{}, fmt.Errorf("ask redis about itself: %w", err)
	}
	told := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			told[name] = value
		}
	}
	h := Health{Version: told["redis_version"], AppendOnly: told["aof_enabled"] == "1", Eviction: told["maxmemory_policy"]}
	h.UsedBytes, _ = strconv.ParseInt(told["used_memory"], 10, 64) // 0 where it is not told
	h.MaxBytes, _ = strconv.ParseInt(told["maxmemory"], 10, 64)    // the same
	h.Hidden = told["aof_enabled"] == "" || h.Eviction == ""
	return h, nil
}
