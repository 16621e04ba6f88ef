package web

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTimesAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 15, 4, 0, 0, time.UTC)
	w := &Handler{deps: Deps{Now: func() time.Time { return now }}}
	for text, want := range map[string]string{
		"2026-11-29": "2026-11-29T00:00:00Z", "2026-11-29 14:30": "2026-11-29T14:30:00Z", "2026-11-29T14:30": "2026-11-29T14:30:00Z", "2026-11-29T14:30:00+02:00": "2026-11-29T12:30:00Z",
		"yesterday": "2026-11-29T00:00:00Z", " Today ": "2026-11-30T00:00:00Z", "now": "2026-11-30T15:04:00Z", "3 days ago": "2026-11-27T00:00:00Z", "1 week ago": "2026-11-23T00:00:00Z", "2 hours ago": "2026-11-30T13:04:00Z",
		"29 Nov": "2026-11-29T00:00:00Z", "29 november": "2026-11-29T00:00:00Z", "Nov 29": "2026-11-29T00:00:00Z", "Nov 29, 2025": "2025-11-29T00:00:00Z", "29.11.": "2026-11-29T00:00:00Z", "29.11.2026": "2026-11-29T00:00:00Z",
		"24 Dec": "2025-12-24T00:00:00Z", "29 Feb": "2024-02-29T00:00:00Z",
	} {
		at, err := w.moment("from", text)
		require.NoError(t, err, text)
		assert.Equal(t, want, at.Format(time.RFC3339), text)
	}
	for _, text := range []string{"tomorrow", "31 Feb", "30.2.2026", "99 Nov", "2026-13-01", "0000-01-01", "Nov", "-3 days ago", "3 days", "12345 days ago", "\u0662 days ago", "<b>"} {
		_, err := w.moment("from", text)
		var of fieldError
		require.ErrorAs(t, err, &of, text)
		assert.Equal(t, "from", of.field)
		var f fault
		require.ErrorAs(t, err, &f)
		assert.Equal(t, 400, f.status)
	}
	none, err := w.moment("from", "")
	require.NoError(t, err)
	assert.Nil(t, none)
}
