package web

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAttemptsAreCountedByAccountAndByAddress(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a := newAttempts(3, func() time.Time { return now })
	taken := func(user, address string) bool {
		next, refused := a.begin(Login{User: user, Domain: "Default"}, address)
		require.Equal(t, refused, !next.IsZero())
		if refused {
			require.WithinRange(t, next, now.Add(1), now.Add(attemptTime))
		}
		return !refused
	}
	for i := range 3 {
		require.True(t, taken("alice", fmt.Sprint(i)))
	}
	require.False(t, taken("alice", "9"), "from wherever")
	require.False(t, taken("ALICE", "9"), "Keystone's names know no case")
	require.True(t, taken("bob", "9"))
	now = now.Add(attemptTime - 1)
	require.False(t, taken("alice", "9"))
	now = now.Add(1)
	require.True(t, taken("alice", "9"), "after its time it is forgotten")

	// A successful sign-in is no failure, and resets the account.
	for range 10 {
		require.True(t, taken("carol", "1"))
		a.succeeded(Login{User: "carol", Domain: "default"}, "1")
	}
	for range 10 { // nor is a sign-in without a response of Keystone
		require.True(t, taken("dave", "2"))
		a.undo(Login{User: "dave", Domain: "Default"}, "2")
	}

	for i := range 3 * perAddress {
		require.True(t, taken(fmt.Sprint("user", i), "7"))
	}
	require.False(t, taken("one more", "7"), "one address tries many accounts")
	require.True(t, taken("one more", "8"))

	for i := range 3 * maxAttempted {
		a.begin(Login{User: fmt.Sprint(i)}, fmt.Sprint(i))
	}
	require.LessOrEqual(t, a.counted.Len(), maxAttempted)

	unlimited := newAttempts(0, func() time.Time { return now })
	for range 100 {
		_, refused := unlimited.begin(Login{}, "")
		require.False(t, refused)
	}
}
