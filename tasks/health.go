package tasks

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Health is the configuration and use of RAM that Redis reports.
type Health struct {
	Version             string
	Hidden              bool // our user may not read the configuration
	AppendOnly          bool
	Eviction            string // maxmemory-policy
	UsedBytes, MaxBytes int64  // MaxBytes 0: no limit of its own
}

// Examine reads the health of Redis; of a cluster, that of any one of its masters.
func Examine(ctx context.Context, rdb redis.UniversalClient) (Health, error) {
	text, err := rdb.Info(ctx).Result()
	if err != nil {
		return Health{}, fmt.Errorf("ask redis about itself: %w", err)
	}
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			info[name] = value
		}
	}
	h := Health{Version: info["redis_version"], AppendOnly: info["aof_enabled"] == "1", Eviction: info["maxmemory_policy"]}
	h.UsedBytes, _ = strconv.ParseInt(info["used_memory"], 10, 64) // 0 if it is missing
	h.MaxBytes, _ = strconv.ParseInt(info["maxmemory"], 10, 64)    // 0 if it is missing
	h.Hidden = info["aof_enabled"] == "" || h.Eviction == ""
	return h, nil
}
