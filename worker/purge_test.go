package worker

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
)

// A purge by an operator ignores delays and returns each refusal; a handler has the
// refusal in its record.
func TestPurgeIgnoresDelaysAndReturnsRefusals(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	refusal, noted := errors.New("refused"), errors.New("not noted")
	for purge, operator := range map[purging]bool{purgeNothing: false, purgeExpired: true, purgeAll: true} {
		p := pass{c: &db.Lease{Now: now}, purge: purge}
		require.True(t, p.due(backup.Record{}))
		require.True(t, p.due(backup.Record{NextTryAt: &now}))
		require.Equal(t, operator, p.due(backup.Record{NextTryAt: new(now.Add(time.Hour))}))

		require.Equal(t, operator, errors.Is(p.refusal(refusal, noted), refusal))
		require.ErrorIs(t, p.refusal(refusal, noted), noted)
		require.Equal(t, operator, p.refusal(refusal, nil) != nil)
	}
}

// A pass that met a pause is over, also if it met other errors.
func TestRetentionPassEndsAtPause(t *testing.T) {
	p := pass{}
	require.NoError(t, p.putOff(t.Context(), nil))
	require.NoError(t, p.putOff(t.Context(), errors.Join(db.ErrPaused, errors.New("and more"))))
	unread := errors.New("cloud away")
	require.Equal(t, unread, p.putOff(t.Context(), unread))
}
