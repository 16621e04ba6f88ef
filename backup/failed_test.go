package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A failed attempt remains one in every state that it may reach; a restore point never becomes one.
func TestFailedAttemptRemainsOneWhateverBecomesOfItsLeftover(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for state, want := range map[State]LeftoverStatus{
		Planned: "", Creating: "", Overdue: "", Withdrawn: "",
		Failed: LeftoverInCinder, Deleting: LeftoverBeingRemoved, Deleted: LeftoverRemoved, Undeletable: LeftoverUndeletable,
	} {
		r := Record{State: state, BackupID: "b"}
		require.Equal(t, want, r.LeftoverStatus(), state)
		require.Equal(t, want != "", r.FailedAttempt(), state)
		require.Equal(t, want != "", want.Sentence() != "", state)
		if want != "" {
			require.Equal(t, Failed, r.Outcome(), state)
		} else {
			require.Equal(t, state, r.Outcome(), state)
		}
	}
	require.Equal(t, LeftoverNone, Record{State: Failed}.LeftoverStatus())
	for _, state := range []State{Available, Deleting, Deleted, Lost, Undeletable} {
		r := Record{State: state, BackupID: "b", AvailableAt: &at}
		require.False(t, r.FailedAttempt(), state)
		require.Equal(t, state, r.Outcome())
		require.Empty(t, r.LeftoverStatus())
	}
}
