package api

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"staffeln/db"
	"staffeln/internal/telemetry"
)

const (
	flushPeriod  = 5 * time.Second  // between two writes
	flushTimeout = 10 * time.Second // of one write
	// maxBufferedRows bounds the rows that wait while the database takes no writes. Allowed and refused checks have
	// separate limits, so that many of one kind do not displace the other. Further checks are counted without user and backup.
	maxBufferedRows = 5_000
)

// A checkOutcome is the outcome of one delete check, as the audit buffer stores it.
type checkOutcome struct {
	allowed, verified bool
	judgement         string
	who               requester
	backupID          string
}

// row returns the audit row. It leaves out the user if the required client certificate is missing: such a caller can
// send any name.
func (t checkOutcome) row() db.DeleteCheck {
	row := db.DeleteCheck{Allowed: t.allowed, Judgement: t.judgement, Verified: t.verified}
	if t.verified {
		row.UserID, row.ProjectID, row.Roles = t.who.UserID, t.who.ProjectID, t.who.Roles
	}
	return row
}

// auditBuffer collects the outcomes of the delete checks and writes them in one transaction every few seconds. A response never
// waits for the write, and is sent even if the write fails. If the process is killed, the outcomes since the last write are
// only in its log.
type auditBuffer struct {
	write   func(context.Context, []db.DeleteCheck) ([]db.Burst, error)
	metrics *telemetry.Metrics

	mu           sync.Mutex
	rows         map[db.DeleteCheck]auditCount // key: the row without Asked and BackupID
	verifiedRows map[bool]int                  // number of rows of verified callers; key: allowed
}

// auditCount holds how often the same outcome occurred, and the last backup ID.
type auditCount struct {
	times    int64
	backupID string
}

func newAuditBuffer(d Deps, burst int) *auditBuffer {
	l := &auditBuffer{metrics: d.Metrics, rows: map[db.DeleteCheck]auditCount{}, verifiedRows: map[bool]int{}}
	l.write = func(ctx context.Context, rows []db.DeleteCheck) ([]db.Burst, error) {
		return d.Checks.Add(ctx, rows, burst)
	}
	return l
}

func (t *auditBuffer) add(outcome checkOutcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	backupID := ""
	if outcome.verified && !outcome.allowed {
		backupID = outcome.backupID
	}
	t.put(outcome.row(), auditCount{1, backupID})
}

func (t *auditBuffer) put(row db.DeleteCheck, a auditCount) {
	if _, known := t.rows[row]; !known && row.Verified && row.Judgement != db.MoreChecks {
		if t.verifiedRows[row.Allowed] >= maxBufferedRows {
			row, a.backupID = row.Summed(), ""
		} else {
			t.verifiedRows[row.Allowed]++
		}
	}
	before := t.rows[row]
	if a.backupID == "" {
		a.backupID = before.backupID
	}
	t.rows[row] = auditCount{before.times + a.times, a.backupID}
}

// run writes periodically until ctx ends, and then once more.
func (t *auditBuffer) run(ctx context.Context, log zerolog.Logger) {
	ticker := time.NewTicker(flushPeriod)
	defer ticker.Stop()
	var conditions telemetry.Conditions
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
		bursts, err := t.flush(context.WithoutCancel(ctx))
		if err != nil {
			conditions.MetLasting(&log, zerolog.WarnLevel, "write", "").Err(err).Msg("delete check audit not written, buffered; the delete check still works")
		} else {
			conditions.Over(&log, "write").Msg("delete check audit written again")
		}
		for _, b := range bursts {
			t.metrics.RefusalBurst()
			logBurst(log, b)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// logBurst logs user and project only for verified callers: others can send any name.
func logBurst(log zerolog.Logger, b db.Burst) {
	if !b.Verified {
		log.Error().Int64("refused", b.Refused).Bool("verified", false).
			Msg("callers without the required client certificate were refused the deletion of many backups within a minute: find out who reaches the delete check")
		return
	}
	log.Error().Str("user_id", b.UserID).Str("project_id", b.ProjectID).Int64("refused", b.Refused).Bool("verified", true).
		Msg("one user was refused the deletion of many backups within a minute: find out who it is, and why")
}

// flush writes all collected rows. Rows that cannot be written are kept in the buffer.
func (t *auditBuffer) flush(ctx context.Context) ([]db.Burst, error) {
	t.mu.Lock()
	taken := t.rows
	t.rows, t.verifiedRows = map[db.DeleteCheck]auditCount{}, map[bool]int{}
	t.mu.Unlock()
	if len(taken) == 0 {
		t.metrics.SetUnwritten(0)
		return nil, nil
	}
	rows := make([]db.DeleteCheck, 0, len(taken))
	for row, a := range taken {
		row.Asked, row.BackupID = a.times, a.backupID
		rows = append(rows, row)
	}
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	bursts, err := t.write(ctx, rows)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		for row, a := range taken {
			t.put(row, a)
		}
	}
	t.metrics.SetUnwritten(len(t.rows))
	return bursts, err
}
