package tasks

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

func TestTaskFailuresAreLoggedWhenTheyBeginAndEnd(t *testing.T) {
	t.Parallel()
	out := new(lines)
	log := zerolog.New(out).Level(zerolog.InfoLevel)
	var f failures
	fail := func(object, cause string) {
		f.failed(&log, zerolog.WarnLevel, "volume:backup", object, cause).Str("volume", object).Msg("task failed, will be retried")
	}
	for n := range 1000 {
		for v := range 100 {
			fail(fmt.Sprint("volume-", v), fmt.Sprintf("create backup: 503 [req-%08d-aaaa-bbbb]", n))
		}
	}
	require.Equal(t, mostFailures, strings.Count(out.String(), "\n"), "the first objects, each once")
	for v := range 100 {
		require.True(t, f.anyFailing("volume:backup"))
		f.succeeded(&log, "volume:backup", fmt.Sprint("volume-", v))
	}
	require.False(t, f.anyFailing("volume:backup"))
	require.Equal(t, mostFailures+1, strings.Count(out.String(), "\n"))
	require.Contains(t, out.String(), `"times":100000`)
	fail("volume-1", "create backup: 503")
	require.Equal(t, mostFailures+2, strings.Count(out.String(), "\n"), "it returned after it ended")
	f.succeeded(&log, "volume:poll", "volume-1")
	require.True(t, f.anyFailing("volume:backup"), "the success was of another kind")
}

func TestRepeatedLibraryMessagesAreLoggedOnce(t *testing.T) {
	t.Parallel()
	out := new(lines)
	log := zerolog.New(out).Level(zerolog.InfoLevel)
	l, client := newAsynqLog(log), redisLog{newAsynqLog(log).chatter}
	for n := range 3600 {
		l.Error("Dequeue error: UNKNOWN: redis eval error: dial tcp 127.0.0.1:6379: connect: connection refused")
		l.Error("Failed to forward scheduled tasks: INTERNAL_ERROR: redis eval error: EOF")
		l.Error(fmt.Sprintf("Failed to extend lease for tasks [%d]: OOM command not allowed", n))
		client.Printf(t.Context(), "redis: connection pool: failed to dial after %d attempts: %v", n, "connection refused")
	}
	require.Equal(t, 3, strings.Count(out.String(), "\n"), out.String())
	require.Contains(t, out.String(), "STAFFELN_REDIS_URL")
}
