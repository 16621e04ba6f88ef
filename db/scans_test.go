package db

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// newSingleConnHarness returns a filled database with a single connection, so that the server's statistics count only the
// calls of the test.
func newSingleConnHarness(t *testing.T, volumes int) *harness {
	t.Helper()
	h := newHarness(t)
	h.fill(volumes)
	var err error
	h.db.Close()
	h.db, err = Open(h.ctx, h.url+"&pool_max_conns=1", h.metrics)
	require.NoError(t, err)
	t.Cleanup(h.db.Close)
	return h
}

// scans returns the number of sequential scans of records.
func (h *harness) scans() int {
	h.t.Helper()
	h.exec("SELECT pg_stat_force_next_flush()")
	return h.count("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'records'")
}

// reads returns the number of rows of records that were read through indexes.
func (h *harness) reads() int {
	h.t.Helper()
	h.exec("SELECT pg_stat_force_next_flush()")
	return h.count("SELECT idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'records'")
}

// frequentCalls has the calls whose cost must not grow with the history.
var frequentCalls = map[string]func(*harness) error{
	"Unfinished": func(h *harness) error { _, _, err := h.run().Unfinished(h.ctx); return err },
	"AtWork":     func(h *harness) error { _, err := h.run().AtWork(h.ctx); return err },
	"Admit": func(h *harness) error {
		_, err := h.run().Admit(h.ctx, backup.Caps{Total: 50, PerProject: 5}, backup.Outage{})
		return err
	},
	"Aged": func(h *harness) error {
		for _, err := range h.run().Aged(h.ctx) {
			if err != nil {
				return err
			}
		}
		return nil
	},
	"a removal check": func(h *harness) error {
		_, err := h.db.pool.Exec(h.ctx, "SELECT state, project_id FROM records WHERE backup_id = $1", "b")
		return err
	},
	"Histories": func(h *harness) error {
		for _, err := range h.run().Histories(h.ctx, nil) {
			if err != nil {
				return err
			}
		}
		return nil
	},
	"Plan": func(h *harness) error {
		_, err := h.run().Plan(h.ctx, []backup.Record{plannedRecord(someVolume)})
		return err
	},
	"WithdrawAll": func(h *harness) error {
		_, err := h.run().WithdrawAll(h.ctx, []string{"x"}, []backup.Reason{"y"})
		return err
	},
	"what a pause guards": func(h *harness) error {
		c, err := h.db.Lease(h.ctx, someVolume, "test", time.Minute)
		if err != nil {
			return err
		}
		links, err := c.Links(h.ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(links, func(r backup.Record) bool { return r.State == backup.Available })
		r, err := c.StartRemoval(h.ctx, links[i], backup.RetentionOver)
		if err != nil {
			return err
		}
		if _, err := c.TakeBack(h.ctx, r, backup.Young); err != nil {
			return err
		}
		return c.Release(h.ctx)
	},
	"PlanManual": func(h *harness) error {
		if _, err := h.db.PlanManual(h.ctx, plannedRecord(someVolume)); !errors.Is(err, ErrStale) {
			return err
		}
		return nil
	},
	"Unreported": func(h *harness) error { _, err := h.run().Unreported(h.ctx, rpo(100*day)); return err },
	"Notify":     func(h *harness) error { _, err := h.run().Notify(h.ctx, day); return err },
	"a report's removals": func(h *harness) error {
		return h.db.Snapshot(h.ctx, func(l *Snapshot) error {
			if _, err := l.RemovedPoints(h.ctx, "nobody's"); err != nil {
				return err
			}
			_, err := l.FewVolumes(h.ctx, "nobody's", 1)
			return err
		})
	},
	"QuotaFreed": func(h *harness) error {
		if _, err := h.run().QuotaFreed(h.ctx); err != nil {
			return err
		}
		return h.db.Snapshot(h.ctx, func(l *Snapshot) error { _, err := l.QuotaFreed(h.ctx, []string{"nobody's"}); return err })
	},
	"Restoring":  func(h *harness) error { return h.run().Restoring(h.ctx, []string{"a", "b"}) },
	"RemovalDue": func(h *harness) error { return h.run().RemovalDue(h.ctx, []string{someVolume}) },
	"Lose":       func(h *harness) error { return h.run().Lose(h.ctx, "x") },
	"Forget":     func(h *harness) error { _, err := h.run().Forget(h.ctx, base.Add(-100*24*hour)); return err },
	"a page of a reconcile": func(h *harness) error {
		_, err := h.run().Seen(h.ctx, []backup.Backup{{ID: "a"}, {ID: "b"}})
		return err
	},
	"a tenant's pages": func(h *harness) error {
		return h.db.Snapshot(h.ctx, func(l *Snapshot) error { return tenantsPages(h.ctx, l, "nobody's") })
	},
	"a handler": func(h *harness) error {
		c, err := h.db.Lease(h.ctx, someVolume, "test", time.Minute)
		if err != nil {
			return err
		}
		if _, err := c.Links(h.ctx); err != nil {
			return err
		}
		records, err := c.Records(h.ctx)
		if err != nil {
			return err
		}
		for _, r := range records {
			if r.State == backup.Planned {
				if _, err := c.Later(h.ctx, r, "", base); err != nil {
					return err
				}
			}
		}
		return c.Release(h.ctx)
	},
}

const someVolume = "volume-000000000000000000000000010"

func TestFrequentCallsReadRecordsThroughIndexes(t *testing.T) {
	t.Parallel()
	h := newSingleConnHarness(t, 3000)
	_, err := h.db.Pause(h.ctx, Pause{ProjectID: "nobody's"})
	require.NoError(t, err)
	for name, call := range frequentCalls {
		before := h.scans()
		for range 8 { // from the sixth execution on, Postgres may use a generic plan
			require.NoError(t, call(h), name)
		}
		assert.Equal(t, before, h.scans(), "%s reads all records", name)
	}
}

// Each plan reads which quotas were freed: it must read the removals of six hours, not the whole history.
func TestQuotaFreedReadsOnlyRecentRemovals(t *testing.T) {
	t.Parallel()
	h := newSingleConnHarness(t, 3000)
	before := h.reads()
	require.NoError(t, frequentCalls["QuotaFreed"](h))
	assert.Less(t, h.reads()-before, h.count("SELECT count(*) FROM records WHERE state = 'deleted'")/10)
}
