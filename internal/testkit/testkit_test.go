package testkit

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// failing is a testing.TB that can fail without failing the real test.
type failing struct {
	testing.TB
	message string
}

func (f *failing) Fatalf(format string, values ...any) {
	f.message = fmt.Sprintf(format, values...)
	runtime.Goexit()
}

func messageOf(t *testing.T, run func(testing.TB)) string {
	t.Helper()
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(f)
	}()
	<-done
	return f.message
}

func TestMissingServerURLFailsTestAndNamesCommand(t *testing.T) {
	t.Setenv(redisVariable, "")
	t.Setenv(databaseVariable, "")
	for variable, run := range map[string]func(testing.TB){
		redisVariable:    func(tb testing.TB) { RedisURL(tb) },
		databaseVariable: func(tb testing.TB) { DatabaseURL(tb, nil) },
	} {
		message := messageOf(t, run)
		assert.Contains(t, message, variable+" is not set")
		assert.Contains(t, message, "make test")
	}
}

func TestEachTestHasOwnRedisDatabase(t *testing.T) {
	t.Parallel()
	first, second := RedisURL(t), RedisURL(t)
	assert.NotEqual(t, first, second)
	one, two := redisClient(t, first), redisClient(t, second)
	require.NoError(t, one.Set(t.Context(), "key", "value", 0).Err())
	require.ErrorIs(t, two.Get(t.Context(), "key").Err(), redis.Nil)
}

func TestRedisDatabaseNumbersWrapAroundAndSkipZero(t *testing.T) {
	t.Parallel()
	assert.EqualValues(t, 1, database(1))
	assert.EqualValues(t, 511, database(511))
	assert.EqualValues(t, 1, database(512))
}

func TestEachTestHasOwnMigratedDatabase(t *testing.T) {
	t.Parallel()
	runs := 0
	migrate := func(ctx context.Context, url string) error {
		runs++
		return execute(ctx, url, "CREATE TABLE thing (name text)")
	}
	first, second := DatabaseURL(t, migrate), DatabaseURL(t, migrate)
	assert.Equal(t, 1, runs)
	require.NoError(t, execute(t.Context(), first, "INSERT INTO thing VALUES ('one')"))
	assert.Equal(t, 1, count(t, first, "SELECT count(*) FROM thing"))
	assert.Equal(t, 0, count(t, second, "SELECT count(*) FROM thing"))
	assert.Error(t, execute(t.Context(), DatabaseURL(t, nil), "SELECT * FROM thing"))
}

func TestDatabasesAreDroppedWithTheirTest(t *testing.T) {
	t.Parallel()
	var url string
	t.Run("user", func(t *testing.T) { url = DatabaseURL(t, nil) })
	err := execute(t.Context(), url, "SELECT 1")
	assert.True(t, hasCode(err, "3D000"), "want: database does not exist; got: %v", err)
}

func TestDatabasesOfEndedProcessesAreDropped(t *testing.T) {
	t.Parallel()
	shared := server(t, databaseVariable)
	dead, err := joinServer(shared)
	require.NoError(t, err)
	require.NoError(t, createDatabase(t.Context(), shared, dead.prefix+"1", "template1"))
	like := "SELECT count(*) FROM pg_database WHERE datname LIKE '" + dead.prefix + "%'"

	other, err := joinServer(shared)
	require.NoError(t, err)
	assert.Equal(t, 1, count(t, shared, like), "a living process keeps its databases")
	require.NoError(t, other.lock.Close(t.Context()))

	require.NoError(t, dead.lock.Close(t.Context()))
	Eventually(t, "the abandoned database is dropped", time.Minute, func() bool {
		next, err := joinServer(shared)
		require.NoError(t, err)
		require.NoError(t, next.lock.Close(t.Context()))
		return count(t, shared, like) == 0
	})
}

func TestFailedMigrationIsReturned(t *testing.T) {
	t.Parallel()
	p, err := joinServer(server(t, databaseVariable))
	require.NoError(t, err)
	broken := errors.New("broken")
	name := p.prefix + "template"
	err = p.makeTemplate(name, withPath(t, databaseVariable, p.server, name), func(context.Context, string) error { return broken })
	require.ErrorIs(t, err, broken)
	require.NoError(t, execute(t.Context(), p.server, "DROP DATABASE "+name))
	require.NoError(t, p.lock.Close(t.Context()))
}

func TestClockMovesOnlyByTheTest(t *testing.T) {
	t.Parallel()
	start := time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)
	clock := NewClock(start)
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			clock.Step(time.Second)
			clock.Now()
		})
	}
	group.Wait()
	assert.Equal(t, start.Add(100*time.Second), clock.Now())
	clock.Set(start)
	assert.Equal(t, start, clock.Now())
}

func TestEventuallyWaitsAndNamesFailedCondition(t *testing.T) {
	t.Parallel()
	calls := 0
	Eventually(t, "three calls", time.Minute, func() bool { calls++; return calls == 3 })
	assert.Equal(t, 3, calls)
	message := messageOf(t, func(tb testing.TB) { Eventually(tb, "the moon", time.Millisecond, func() bool { return false }) })
	assert.Equal(t, "not within 1ms: the moon", message)
}

func count(t *testing.T, url, query string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	require.NoError(t, conn.QueryRow(t.Context(), query).Scan(&n))
	require.NoError(t, conn.Close(t.Context()))
	return n
}
