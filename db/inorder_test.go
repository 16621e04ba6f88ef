package db

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// expectNoDeadlock starts a transaction that executes first, starts the call and waits until it blocks, and then executes then
// in the transaction. If the call has already locked the rows of then, this is a deadlock.
func (h *harness) expectNoDeadlock(first, then string, call func() error) {
	h.t.Helper()
	ended := make(chan error, 1)
	err := pgx.BeginFunc(h.ctx, h.db.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(h.ctx, first); err != nil {
			return err
		}
		go func() { ended <- call() }()
		h.waitForLocksOr(1, func() bool { return len(ended) > 0 })
		_, err := tx.Exec(h.ctx, then)
		return err
	})
	require.NoError(h.t, err)
	require.NoError(h.t, <-ended)
}

// twoRecords returns two records, a and b, that differ only in their backups.
func twoRecords(of row) [2]row {
	return [2]row{point("b2", hour).with(of), point("b1", 2*hour).with(of)}
}

// lockingCalls has the calls that lock both records.
var lockingCalls = map[string]struct {
	records [2]row
	call    func(h *harness) func() error
}{
	"Seen": {twoRecords(nil), func(h *harness) func() error {
		return func() error {
			_, err := h.run().Seen(h.ctx, []backup.Backup{{ID: "b1"}, {ID: "b2"}})
			return err
		}
	}},
	"Seen, lost before": {twoRecords(row{"state": "lost"}), func(h *harness) func() error {
		return func() error {
			_, err := h.run().bulk(h.ctx, backup.Lost, "records found again", reappear, []string{"b1", "b2"}, backup.Available)
			return err
		}
	}},
	"Restoring": {twoRecords(nil), func(h *harness) func() error {
		return func() error { return h.run().Restoring(h.ctx, []string{"b1", "b2"}) }
	}},
	"Restoring, no longer": {twoRecords(row{"cinder_status": "restoring"}), func(h *harness) func() error {
		return func() error { return h.run().Restoring(h.ctx, []string{}) }
	}},
	"CloseDeletedProjects": {twoRecords(nil), func(h *harness) func() error {
		return func() error { return h.run().CloseDeletedProjects(h.ctx, []string{"b", "a"}) }
	}},
	"Forget": {twoRecords(row{"state": "deleted", "report_id": "old"}), func(h *harness) func() error {
		return func() error { _, err := h.run().Forget(h.ctx, base); return err }
	}},
	"ForgetFailures": {[2]row{shapes["failed"].with(row{"report_id": "old"}), shapes["failed"].with(row{"report_id": "old"})}, func(h *harness) func() error {
		h.generate("v", "failed", "full", 2*failuresKept)
		h.exec(`UPDATE records SET ended_at = ended_at + interval '1 year' WHERE report_id IS NULL`)
		return func() error { _, err := h.run().ForgetFailures(h.ctx); return err }
	}},
	"Remember, of another project": {twoRecords(row{"retention": "1 day"}), func(h *harness) func() error {
		v := h.volumes()["v"]
		v.ProjectID = "q"
		return func() error { return h.run().StoreVolumes(h.ctx, []Volume{v}, nil) }
	}},
	"Make": {twoRecords(nil), func(h *harness) func() error {
		c := h.leaseReports("p")
		return func() error {
			return c.Make(h.ctx, NewReport{ID: "r", CreatedAt: base, Content: []byte(`{}`), Records: []string{"b", "a"}})
		}
	}},
	"GiveUp": {twoRecords(row{"report_id": "r"}), giveUp},
	"GiveUp, of removals": {[2]row{
		point("b2", hour).with(row{"state": "deleted", "removal_report_id": "r"}), point("b1", hour).with(row{"report_id": "r"}),
	}, giveUp},
	"WithdrawAll": {twoPlanned, func(h *harness) func() error {
		return func() error {
			_, err := h.run().WithdrawAll(h.ctx, []string{"b", "a"}, []backup.Reason{"x", "x"})
			return err
		}
	}},
	"Admit": {twoPlanned, func(h *harness) func() error {
		return func() error { _, err := h.run().Admit(h.ctx, backup.Caps{}, backup.Outage{}); return err }
	}},
}

var twoPlanned = [2]row{{"state": "planned"}, {"state": "planned", "volume_id": "w"}}

func giveUp(h *harness) func() error {
	c := h.leaseReports("p")
	require.NoError(h.t, c.Make(h.ctx, NewReport{ID: "r", CreatedAt: base, Content: []byte(`{}`), Mails: []NewMail{{"x", "<1>"}}}))
	return func() error { return c.GiveUp(h.ctx, Mail{ReportID: "r", Receiver: "x"}, "550 no") }
}

// In the table, and in the indexes that find them, the records have the reverse order of their IDs.
func TestBulkStatementsLockRecordsInOrderOfIDs(t *testing.T) {
	t.Parallel()
	for name, one := range lockingCalls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.volume("v", nil)
			h.volume("w", nil)
			h.record("b", one.records[1])
			h.record("a", one.records[0])
			call := one.call(h)
			h.expectNoDeadlock(`SELECT FROM records WHERE id = 'a' FOR NO KEY UPDATE`, `SELECT FROM records WHERE id = 'b' FOR NO KEY UPDATE`, call)
		})
	}
}

// A worker's transition of a record locks the volume and then the record.
func TestTransferLocksTheVolumeBeforeItsRecords(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("a", point("b", hour).with(row{"retention": "1 day"}))
	h.expectNoDeadlock(`SELECT FROM volumes WHERE id = 'v' FOR NO KEY UPDATE`, `SELECT FROM records WHERE id = 'a' FOR NO KEY UPDATE`, lockingCalls["Remember, of another project"].call(h))
}

// Several mails of a report are sent at the same time. The result of each is written while the group's row is locked.
func TestSentLocksTheGroupBeforeTheReport(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	c := h.leaseReports("p")
	require.NoError(t, c.Make(h.ctx, NewReport{ID: "r", CreatedAt: base, Content: []byte(`{}`), Mails: []NewMail{{"x", "<1>"}, {"y", "<2>"}}}))
	h.expectNoDeadlock(`SELECT FROM report_groups WHERE id = 'p' FOR NO KEY UPDATE`, `SELECT FROM reports WHERE id = 'r' FOR NO KEY UPDATE`, func() error {
		return c.Sent(h.ctx, Mail{ReportID: "r", Receiver: "x"}, "250 ok")
	})
}

// Project and operator get separate mails about the same notices.
func TestNoticesAreLockedInOrderOfIDs(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, id := range []int{2, 1} {
		h.exec(`INSERT INTO notices (id, created_at, kind, project_id, volume_id, content) OVERRIDING SYSTEM VALUE VALUES ($1, $2, 'protection_ended', 'p', 'v', '{}')`, id, base.Add(-hour))
	}
	first, then := `SELECT FROM notices WHERE id = 1 FOR NO KEY UPDATE`, `SELECT FROM notices WHERE id = 2 FOR NO KEY UPDATE`
	c := h.leaseReports("p")
	h.expectNoDeadlock(first, then, func() error {
		return c.MakeNotice(h.ctx, NewReport{ID: "r", CreatedAt: base, Content: []byte(`{}`), Mails: []NewMail{{"x", "<1>"}}}, []int64{2, 1}, false)
	})
	h.expectNoDeadlock(first, then, func() error { return c.GiveUp(h.ctx, Mail{ReportID: "r", Receiver: "x"}, "550 no") })
	h.expectNoDeadlock(first, then, func() error { return h.run().ForgetReports(h.ctx, new(base)) })
}
