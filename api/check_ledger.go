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
	toldPeriod = 5 * time.Second  // between two writes
	toldTime   = 10 * time.Second // for one
	// toldRows bounds what waits for a database that does not take it, of the allowed and of the refused each: many of the ones
	// never push out the others. What is more is counted without names.
	toldRows = 5_000
)

// A tellable is an answer as the ledger takes it.
type tellable struct {
	allowed, verified bool
	verdict           string
	who               asker
	backupID          string
}

// row leaves out what is not believed: who did not present the certificate that is demanded may say that he is anybody.
func (t tellable) row() db.DeleteCheck {
	row := db.DeleteCheck{Allowed: t.allowed, Verdict: t.verdict, Verified: t.verified}
	if t.verified {
		row.UserID, row.ProjectID, row.Roles = t.who.UserID, t.who.ProjectID, t.who.Roles
	}
	return row
}

// ledger collects who asked for deletions and what was answered, and writes it in one transaction every few seconds:
// an answer never waits for it, and is given also where it can't be written. What a killed process had collected since
// the last write is only in its log.
type ledger struct {
	write   func(context.Context, []db.DeleteCheck) ([]db.Burst, error)
	metrics *telemetry.Metrics

	mu   sync.Mutex
	rows map[db.DeleteCheck]asked // by row without its Asked and BackupID
	kept map[bool]int             // rows of verified callers, by whether they allowed
}

// asked is how often, and the backup that was asked about last.
type asked struct {
	times    int64
	backupID string
}

func newLedger(d Deps, burst int) *ledger {
	l := &ledger{metrics: d.Metrics, rows: map[db.DeleteCheck]asked{}, kept: map[bool]int{}}
	l.write = func(ctx context.Context, rows []db.DeleteCheck) ([]db.Burst, error) {
		return d.Checks.Told(ctx, rows, burst)
	}
	return l
}

func (t *ledger) add(told tellable) {
	t.mu.Lock()
	defer t.mu.Unlock()
	backupID := ""
	if told.verified && !told.allowed {
		backupID = told.backupID
	}
	t.put(told.row(), asked{1, backupID})
}

func (t *ledger) put(row db.DeleteCheck, a asked) {
	if _, known := t.rows[row]; !known && row.Verified && row.Verdict != db.MoreChecks {
		if t.kept[row.Allowed] >= toldRows {
			row, a.backupID = row.Summed(), ""
		} else {
			t.kept[row.Allowed]++
		}
	}
	before := t.rows[row]
	if a.backupID == "" {
		a.backupID = before.backupID
	}
	t.rows[row] = asked{before.times + a.times, a.backupID}
}

// run writes until ctx ends, and once more then.
func (t *ledger) run(ctx context.Context, log zerolog.Logger) {
	ticker := time.NewTicker(toldPeriod)
	defer ticker.Stop()
	var conditions telemetry.Conditions
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
		bursts, err := t.flush(context.WithoutCancel(ctx))
		if err != nil {
			conditions.MetLasting(&log, zerolog.WarnLevel, "write", "").Err(err).Msg("who asked for deletions can't be written, and is kept for later; the delete check answers all the same")
		} else {
			conditions.Over(&log, "write").Msg("who asked for deletions is written again")
		}
		for _, b := range bursts {
			t.metrics.RefusalBurst()
			sayBurst(log, b)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// sayBurst names nobody who could have been named by somebody else.
func sayBurst(log zerolog.Logger, b db.Burst) {
	if !b.Verified {
		log.Error().Int64("refused", b.Refused).Bool("verified", false).
			Msg("callers without a client certificate that is demanded were refused the deletion of many backups within a minute: find out who reaches the delete check")
		return
	}
	log.Error().Str("user", b.UserID).Str("project", b.ProjectID).Int64("refused", b.Refused).Bool("verified", true).
		Msg("one user was refused the deletion of many backups within a minute: find out who it is, and why")
}

// flush writes all that was collected; what can't be written is kept.
func (t *ledger) flush(ctx context.Context) ([]db.Burst, error) {
	t.mu.Lock()
	taken := t.rows
	t.rows, t.kept = map[db.DeleteCheck]asked{}, map[bool]int{}
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
	ctx, cancel := context.WithTimeout(ctx, toldTime)
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
