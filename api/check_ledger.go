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
	// toldRows bounds what waits for a database that does not take it. What is more is summed without names.
	toldRows = 10_000
)

// toldMore is the verdict of the row that sums what had no place.
const toldMore = "more"

// ledger collects who asked for deletions and what was answered, and writes it in one statement every few seconds:
// an answer never waits for it, and is given also where it can't be written. What a killed process had collected since
// the last write is only in its log.
type ledger struct {
	write   func(context.Context, []db.DeleteCheck) error
	metrics *telemetry.Metrics

	mu   sync.Mutex
	rows map[db.DeleteCheck]int64 // how often, by row without its Asked
}

func newLedger(write func(context.Context, []db.DeleteCheck) error, metrics *telemetry.Metrics) *ledger {
	return &ledger{write: write, metrics: metrics, rows: map[db.DeleteCheck]int64{}}
}

func (t *ledger) add(row db.DeleteCheck) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.rows[row]; !known && len(t.rows) >= toldRows {
		row = db.DeleteCheck{Allowed: row.Allowed, Verdict: toldMore}
	}
	t.rows[row]++
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
		err := t.flush(context.WithoutCancel(ctx))
		if err != nil {
			conditions.MetLasting(&log, zerolog.WarnLevel, "write", "").Err(err).Msg("who asked for deletions can't be written, and is kept for later; the delete check answers all the same")
		} else {
			conditions.Over(&log, "write").Msg("who asked for deletions is written again")
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// flush writes all that was collected; what can't be written is kept.
func (t *ledger) flush(ctx context.Context) error {
	t.mu.Lock()
	taken := t.rows
	t.rows = make(map[db.DeleteCheck]int64)
	t.mu.Unlock()
	if len(taken) == 0 {
		t.metrics.SetUnwritten(0)
		return nil
	}
	rows := make([]db.DeleteCheck, 0, len(taken))
	for row, asked := range taken {
		row.Asked = asked
		rows = append(rows, row)
	}
	ctx, cancel := context.WithTimeout(ctx, toldTime)
	defer cancel()
	err := t.write(ctx, rows)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		for row, asked := range taken {
			t.rows[row] += asked
		}
	}
	t.metrics.SetUnwritten(len(t.rows))
	return err
}
