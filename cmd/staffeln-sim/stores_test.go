package main

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"staffeln/db"
	"staffeln/internal/config"
	"staffeln/internal/testkit"
)

// An interrupt during a query closes the demo's connection. The demo drops its tables all the same, marked or not yet.
func TestStores_AreClearedAfterAnInterruptedQuery(t *testing.T) {
	for _, marked := range []bool{true, false} {
		url := testkit.DatabaseURL(t, nil)
		s, err := openStores(t.Context(), config.Database{DatabaseURL: url}, config.Queue{RedisURL: testkit.RedisURL(t)})
		require.NoError(t, err)
		_, err = db.MigrateUp(t.Context(), url)
		require.NoError(t, err)
		if marked {
			require.NoError(t, s.mark(t.Context()))
		}
		interrupted, interrupt := context.WithTimeout(t.Context(), 10*time.Millisecond)
		_, err = s.conn.Exec(interrupted, "SELECT pg_sleep(60)")
		interrupt()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, s.release(t.Context()))

		conn, err := pgx.Connect(t.Context(), url)
		require.NoError(t, err)
		var tables int
		require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&tables))
		require.NoError(t, conn.Close(t.Context()))
		require.Zero(t, tables)
	}
}
