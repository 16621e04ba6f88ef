package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
)

// A request that finds no free slot gets Retry-After. A client that disconnects stops waiting.
func TestReadsWithoutFreeSlotGetRetryAfter(t *testing.T) {
	t.Parallel()
	w := &Handler{readSlots: newReadSlots(1)}
	require.True(t, w.readSlots.take(t.Context()))
	left, leave := context.WithCancel(t.Context())
	leave()
	require.False(t, w.readSlots.take(left))

	recorder := httptest.NewRecorder()
	err := w.read(t.Context(), nil) // returns before it uses the database
	require.ErrorIs(t, err, errNoSlot)
	require.NoError(t, writeError(echo.New().NewContext(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), recorder), err))
	require.Equal(t, http.StatusServiceUnavailable, recorder.Code)
	require.Equal(t, "1", recorder.Header().Get("Retry-After"))
	w.readSlots.release()
	require.True(t, w.readSlots.take(t.Context()))
}
