package openstack

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// attempts returns one fault after the other, then success.
func attempts(faults ...*backup.CloudError) (func() *backup.CloudError, *int) {
	n := 0
	return func() *backup.CloudError {
		n++
		if n > len(faults) {
			return nil
		}
		fault := *faults[n-1]
		return &fault
	}, &n
}

// stepped returns a clock that waiting moves, and the pauses that were waited.
func stepped() (clock, *[]time.Duration) {
	now := time.Unix(0, 0)
	pauses := &[]time.Duration{}
	return clock{
		now: func() time.Time { return now },
		wait: func(ctx context.Context, d time.Duration) error {
			now = now.Add(d)
			*pauses = append(*pauses, d)
			return ctx.Err()
		},
	}, pauses
}

// Results of an attempt.
var (
	away         = &backup.CloudError{Meaning: backup.MeansUnavailable, Status: 503}
	ambiguous    = &backup.CloudError{Meaning: backup.MeansUnavailable, Status: 503, Unknown: true}
	unsent       = &backup.CloudError{Meaning: backup.MeansUnavailable}
	lost         = &backup.CloudError{Meaning: backup.MeansUnavailable, Unknown: true}
	throttled    = &backup.CloudError{Meaning: backup.MeansThrottled, Status: 429, RetryAfter: 90 * time.Second}
	refused      = &backup.CloudError{Meaning: backup.MeansRefused, Status: 400}
	errNoService = &backup.CloudError{Meaning: backup.MeansUnavailable, Status: 404}
)

func TestRetriedCalls(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method string
		faults []*backup.CloudError
		tries  int
		fails  bool
	}{
		"a read after 503":                 {http.MethodGet, []*backup.CloudError{away, away}, 3, false},
		"a read after a lost response":     {http.MethodGet, []*backup.CloudError{unsent}, 2, false},
		"a read when throttled":            {http.MethodGet, []*backup.CloudError{throttled}, 2, false},
		"a read that is refused":           {http.MethodGet, []*backup.CloudError{refused}, 1, true},
		"a read after a skipped code":      {http.MethodGet, []*backup.CloudError{errNoService}, 1, true},
		"a deletion after 503":             {http.MethodDelete, []*backup.CloudError{ambiguous}, 2, false},
		"a deletion that is refused":       {http.MethodDelete, []*backup.CloudError{refused}, 1, true},
		"a creation after 503":             {http.MethodPost, []*backup.CloudError{ambiguous}, 1, true},
		"a creation after a lost response": {http.MethodPost, []*backup.CloudError{lost}, 1, true},
		"a creation that was not sent":     {http.MethodPost, []*backup.CloudError{unsent, unsent}, 3, false},
		"a creation when throttled":        {http.MethodPost, []*backup.CloudError{throttled}, 2, false},
		"a creation without renewal":       {http.MethodPost, []*backup.CloudError{away}, 2, false},
		"unsent, then lost":                {http.MethodPost, []*backup.CloudError{unsent, lost}, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock, pauses := stepped()
			attempt, tries := attempts(c.faults...)
			err := retrier{config: retrying, clock: clock}.try(t.Context(), request{method: c.method}, attempt)
			assert.Equal(t, c.fails, err != nil)
			assert.Equal(t, c.tries, *tries)
			assert.Len(t, *pauses, c.tries-1)
		})
	}
}

func TestPausesGrowToTheirLimit(t *testing.T) {
	t.Parallel()
	clock, pauses := stepped()
	forever := make([]*backup.CloudError, 100)
	for i := range forever {
		forever[i] = away
	}
	attempt, _ := attempts(forever...)
	began := clock.now()
	err := retrier{config: retrying, clock: clock}.try(t.Context(), request{method: http.MethodGet}, attempt)
	requireMeaning(t, backup.MeansUnavailable, err)
	assert.LessOrEqual(t, clock.now().Sub(began), retrying.RetryTimeout.Std())
	assert.Greater(t, clock.now().Sub(began), retrying.RetryTimeout.Std()-2*retrying.MaxRetryInterval.Std(), "it did not give up early")
	for i, pause := range *pauses {
		full := min(time.Second<<min(i, 10), retrying.MaxRetryInterval.Std())
		assert.LessOrEqual(t, pause, full)
		assert.GreaterOrEqual(t, pause, full/2)
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	t.Parallel()
	clock, pauses := stepped()
	attempt, _ := attempts(throttled)
	require.NoError(t, retrier{config: retrying, clock: clock}.try(t.Context(), request{method: http.MethodGet}, attempt))
	assert.Equal(t, []time.Duration{90 * time.Second}, *pauses, "the cloud's Retry-After, although it is longer than MAX_RETRY_INTERVAL")

	clock, pauses = stepped()
	later := *throttled
	later.RetryAfter = time.Hour
	attempt, tries := attempts(&later)
	fault := requireFault(t, backup.MeansThrottled, retrier{config: retrying, clock: clock}.try(t.Context(), request{method: http.MethodGet}, attempt))
	assert.Equal(t, time.Hour, fault.RetryAfter)
	assert.Equal(t, 1, *tries, "an hour is beyond RETRY_TIMEOUT")
	assert.Empty(t, *pauses)
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	clock, _ := stepped()
	ctx, cancel := context.WithCancel(t.Context())
	tries := 0
	err := retrier{config: retrying, clock: clock}.try(ctx, request{method: http.MethodGet}, func() *backup.CloudError {
		tries++
		cancel()
		fault := *away
		return &fault
	})
	requireMeaning(t, backup.MeansUnavailable, err)
	assert.Equal(t, 1, tries)
}

func TestUnknownOutcomeIsKeptAcrossRetries(t *testing.T) {
	t.Parallel()
	clock, _ := stepped()
	attempt, _ := attempts(ambiguous, &backup.CloudError{Meaning: backup.MeansBackupState, Status: 400})
	fault := requireFault(t, backup.MeansBackupState, retrier{config: retrying, clock: clock}.try(t.Context(), request{method: http.MethodDelete}, attempt))
	assert.True(t, fault.Unknown, "the try before may be why it is being deleted")
}

func TestZeroConfigNeverRetries(t *testing.T) {
	t.Parallel()
	require.NoError(t, Config{}.Validate())
	clock, _ := stepped()
	attempt, tries := attempts(away)
	require.Error(t, retrier{clock: clock}.try(t.Context(), request{method: http.MethodGet}, attempt))
	assert.Equal(t, 1, *tries)
}

func TestWallClockWaits(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, wallClock().wait(ctx, time.Nanosecond))
	cancel()
	require.ErrorIs(t, wallClock().wait(ctx, time.Hour), context.Canceled)
	assert.WithinDuration(t, time.Now(), wallClock().now(), time.Minute)
}
