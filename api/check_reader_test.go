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

// written returns the rows of delete_checks once there are so many.
func (k *checked) written(t *testing.T, rows int) (text string) {
	t.Helper()
	testkit.Eventually(t, "the audit is written", time.Minute, func() bool {
		require.NoError(t, k.conn.QueryRow(t.Context(), `
			SELECT coalesce(string_agg(concat_ws(' ', outcome, judgement, verified, backup_id, user_id, project_id, roles, asked), E'\n' ORDER BY outcome, judgement, user_id), '') FROM delete_checks`).Scan(&text))
		return strings.Count(text, "\n") == rows-1
	})
	return text
}

func (k *checked) asksAs(t *testing.T, id, user, want string) {
	t.Helper()
	body, kind := as(id, user, user).form()
	_, reply := k.ask(t, id, body, kind)
	require.Equal(t, want, reply)
}

func TestCheck_AuditOfVerifiedCallersHasUserAndBurstNamesUser(t *testing.T) {
	k, ca := runSecured(t, Config{RefusalBurst: 3})
	k.client = k.with(t, sign(t, t.TempDir(), "cinder", ca).pair)
	for _, id := range []string{recorded(backup.Lost), recorded(backup.Available), recorded(backup.Available), recorded(backup.Available)} {
		k.asksAs(t, id, alice, "False")
	}
	for i := range 5 {
		k.asksAs(t, fmt.Sprintf("5438dbb2-4eec-4a90-b8d6-%012d", i), alice, "True")
	}
	body, kind := as(recorded(backup.Available), alice, alice).form()
	_, _ = k.ask(t, unknown, body, kind)
	require.Equal(t, strings.Join([]string{
		"allowed not_ours t  " + alice + " p member,reader 5",
		"refused on_record t " + recorded(backup.Available) + " " + alice + " p member,reader 4",
		"refused other_target t " + unknown + " " + alice + " p member,reader 1",
	}, "\n"), k.written(t, 3))
	testkit.Eventually(t, "the burst is logged", time.Minute, func() bool { return strings.Contains(k.log.String(), "refused the deletion of many backups") })
	require.Equal(t, 1, strings.Count(k.log.String(), "refused the deletion of many backups"), "once a minute")
	require.Regexp(t, `"level":"error"[^\n]*"user_id":"`+alice+`"[^\n]*"refused":5`, k.log.String())
	require.Equal(t, 5, strings.Count(k.log.String(), `"message":"deletion refused"`))
	testkit.Eventually(t, "the metrics count it", time.Minute, func() bool {
		_, metrics := k.do(t, http.MethodGet, "/metrics", "", nil)
		for _, line := range []string{
			`staffeln_delete_checks_total{judgement="on_record",outcome="refused"} 4`, `staffeln_delete_checks_total{judgement="not_ours",outcome="allowed"} 5`,
			`staffeln_delete_refusal_bursts_total 1`, `staffeln_api_requests_total{method="POST",route="/v1/backup",status="2xx"} 9`,
		} {
			if !strings.Contains(metrics, line+"\n") {
				return false
			}
		}
		return true
	})
}

func TestCheck_AuditAndBurstOfUnverifiedCallersNameNobody(t *testing.T) {
	k := runCheck(t, Config{RefusalBurst: 3})
	for i := range 4 {
		k.asksAs(t, recorded(backup.Available), alice, "False")
		k.asksAs(t, fmt.Sprintf("5438dbb2-4eec-4a90-b8d6-%012d", i), fmt.Sprint("forged", i), "True")
	}
	require.Equal(t, "allowed not_ours f     4\nrefused on_record f     4", k.written(t, 2))
	testkit.Eventually(t, "the burst is logged", time.Minute, func() bool { return strings.Contains(k.log.String(), "refused the deletion of many backups") })
	for line := range strings.Lines(k.log.String()) {
		if strings.Contains(line, `"level":"error"`) {
			require.NotContains(t, line, alice)
		}
	}
}

func TestCheck_CallersWithoutCertificateAreAuditedAsSum(t *testing.T) {
	k, ca := runSecured(t, Config{TLS: TLS{ClientNames: []string{"cinder.example"}}})
	for range 3 {
		got, _ := k.ask(t, unknown, "", "")
		require.Equal(t, http.StatusForbidden, got.StatusCode)
	}
	k.client = k.with(t, sign(t, t.TempDir(), "other.example", ca).pair)
	got, reply := k.ask(t, unknown, "", "")
	require.Equal(t, http.StatusForbidden, got.StatusCode)
	require.Contains(t, reply, "no name that may ask")
	k.client = k.with(t, sign(t, t.TempDir(), "CINDER.example", ca).pair)
	k.asksAs(t, unknown, alice, "True")
	require.Equal(t, "allowed not_ours t  "+alice+" p member,reader 1\nrefused no_certificate f     3\nrefused other_name f     1", k.written(t, 3))
}

func TestAuditBuffer_KeepsUnwrittenRowsWithinBounds(t *testing.T) {
	var written []db.DeleteCheck
	fault := errors.New("away")
	l := &auditBuffer{metrics: telemetry.NewMetrics(), rows: map[db.DeleteCheck]auditCount{}, verifiedRows: map[bool]int{}}
	l.write = func(_ context.Context, rows []db.DeleteCheck) ([]db.Burst, error) {
		if fault != nil {
			return nil, fault
		}
		written = append(written, rows...)
		return nil, nil
	}
	by := func(allowed bool, user int) checkOutcome {
		return checkOutcome{allowed: allowed, verified: true, judgement: "v", who: requester{UserID: fmt.Sprint(user)}, backupID: "b"}
	}
	flush := func() error { _, err := l.flush(t.Context()); return err }
	for i := range maxBufferedRows + 50 {
		l.add(by(true, i))
		if i == 100 {
			require.ErrorIs(t, flush(), fault)
		}
	}
	l.add(by(true, 0))
	l.add(by(false, 0))
	for i := range 3 * maxBufferedRows {
		l.add(checkOutcome{judgement: "on_record", who: requester{UserID: fmt.Sprint(i)}, backupID: fmt.Sprint(i)})
	}
	require.ErrorIs(t, flush(), fault)
	fault = nil
	require.NoError(t, flush())
	require.Len(t, written, maxBufferedRows+3)
	sum := int64(0)
	for _, row := range written {
		sum += row.Asked
	}
	require.EqualValues(t, 4*maxBufferedRows+52, sum, "each is counted")
	require.Contains(t, written, db.DeleteCheck{Allowed: true, Verified: true, Judgement: db.MoreChecks, Asked: 50})
	require.Contains(t, written, db.DeleteCheck{Verified: true, Judgement: "v", UserID: "0", BackupID: "b", Asked: 1}, "refused checks have a limit of their own")
	require.Contains(t, written, db.DeleteCheck{Judgement: "on_record", Asked: 3 * maxBufferedRows}, "unverified callers have no name")
	require.NoError(t, flush())
	require.Len(t, written, maxBufferedRows+3, "once")
}
