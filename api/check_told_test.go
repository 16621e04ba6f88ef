package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
)

func TestCheck_WhoAskedIsWrittenAndABurstIsTold(t *testing.T) {
	k := runCheck(t, Config{RefusalBurst: 3})
	for _, id := range []string{recorded(backup.Available), recorded(backup.Lost), recorded(backup.Available), recorded(backup.Available)} {
		body, kind := as(id, alice, alice).form()
		_, said := k.ask(t, id, body, kind)
		require.Equal(t, "False", said)
	}
	for i := range 5 {
		id := fmt.Sprintf("5438dbb2-4eec-4a90-b8d6-%012d", i)
		body, kind := as(id, alice, alice).form()
		_, said := k.ask(t, id, body, kind)
		require.Equal(t, "True", said)
	}
	body, kind := as(recorded(backup.Available), alice, alice).form()
	_, _ = k.ask(t, unknown, body, kind)
	var told string
	testkit.Eventually(t, "who asked is written", time.Minute, func() bool {
		require.NoError(t, k.conn.QueryRow(t.Context(), `
			SELECT coalesce(string_agg(concat_ws(' ', answer, verdict, backup_id, user_id, project_id, roles, asked), E'\n' ORDER BY answer, backup_id), '') FROM delete_checks`).Scan(&told))
		return strings.Count(told, "\n") == 3
	})
	require.Equal(t, strings.Join([]string{
		"allowed not_ours  " + alice + " p member,reader 5",
		"refused on_record " + recorded(backup.Available) + " " + alice + " p member,reader 3",
		"refused on_record " + recorded(backup.Lost) + " " + alice + " p member,reader 1",
		"refused other_target " + unknown + " " + alice + " p member,reader 1",
	}, "\n"), told)
	require.Equal(t, 1, strings.Count(k.log.String(), "refused the deletion of many backups"), "once a minute")
	require.Regexp(t, `"level":"error"[^\n]*"user":"`+alice+`"[^\n]*"refused":3`, k.log.String())
	require.Equal(t, 4, strings.Count(k.log.String(), `"message":"deletion refused"`)-1)
	_, metrics := k.do(t, http.MethodGet, "/metrics", "", nil)
	for _, line := range []string{
		`staffeln_delete_checks_total{answer="refused",verdict="on_record"} 4`, `staffeln_delete_checks_total{answer="allowed",verdict="not_ours"} 5`,
		`staffeln_delete_refusal_bursts_total 1`, `staffeln_api_requests_total{method="POST",route="/v1/backup",status="2xx"} 9`,
	} {
		require.Contains(t, metrics, line+"\n")
	}
}

func TestLedger_KeepsWhatCannotBeWrittenWithinBounds(t *testing.T) {
	var written []db.DeleteCheck
	fault := errors.New("away")
	l := newLedger(func(_ context.Context, rows []db.DeleteCheck) error {
		if fault != nil {
			return fault
		}
		written = append(written, rows...)
		return nil
	}, telemetry.NewMetrics())
	for i := range toldRows + 50 {
		l.add(db.DeleteCheck{Verdict: "on_record", BackupID: fmt.Sprint(i)})
		if i == 100 {
			require.ErrorIs(t, l.flush(t.Context()), fault)
		}
	}
	l.add(db.DeleteCheck{Verdict: "on_record", BackupID: "0"})
	require.ErrorIs(t, l.flush(t.Context()), fault)
	fault = nil
	require.NoError(t, l.flush(t.Context()))
	require.Len(t, written, toldRows+1)
	sum := int64(0)
	for _, row := range written {
		sum += row.Asked
	}
	require.EqualValues(t, toldRows+51, sum, "each is counted")
	require.Contains(t, written, db.DeleteCheck{Verdict: toldMore, Asked: 50})
	require.NoError(t, l.flush(t.Context()))
	require.Len(t, written, toldRows+1, "once")
}

func TestBursts_AreOfOneUserAndBounded(t *testing.T) {
	b := newBursts(3)
	for range 2 {
		for _, user := range []string{"a", "b"} {
			_, burst := b.add(user)
			require.False(t, burst)
		}
	}
	n, burst := b.add("a")
	require.True(t, burst)
	require.Equal(t, 3, n)
	_, burst = b.add("a")
	require.False(t, burst, "it was told")
	b.since = func() time.Duration { return burstTime }
	_, burst = b.add("b")
	require.False(t, burst, "another minute")
	for i := range 2 * burstUsers {
		b.add(fmt.Sprint(i))
	}
	require.LessOrEqual(t, len(b.refused), burstUsers+1)
	for range 5 {
		_, burst = newBursts(0).add("a")
		require.False(t, burst)
	}
}
