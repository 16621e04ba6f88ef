package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/testkit/mailbox"
)

// A worker is killed after the mail server took the report and before the record knew: another one sends it again, under
// the same Message-ID, and it is told once.
func TestKilledWorkerSendsItsMailAgain(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, mailbox.Options{TLS: true})
	h := newHouse(t, cloudsim.Options{BackupTime: cloudsim.Fixed(time.Second)}, map[string]string{
		"STAFFELN_SENDER_EMAIL": from, "STAFFELN_RECEIVER": "ops@ops.example", "STAFFELN_REPORT_PERIOD": "600",
		"STAFFELN_SMTP_SERVER": box.Address, "STAFFELN_SMTP_CA_FILE": box.CAFile, "STAFFELN_SMTP_TLS": "required",
	})
	volumes := cloudsim.Seed(h.sim, cloudsim.SeedOptions{Projects: 1, Servers: 1, VolumesPerServer: 2, MetadataKey: "__staffeln_backup"}).Volumes
	launch(t, h.env, "scheduler")
	victim := launch(t, h.env, "worker")
	h.eventually("the backups are recorded", func() bool { return h.count("state = 'available'") == len(volumes) })

	box.MuteAfterData(1) // it has the mail, and the worker waits for its answer
	h.ahead(11 * time.Minute)
	h.eventually("the mail server has the report", func() bool { return len(box.Inbox()) == 1 })
	require.Equal(t, 1, h.sum(`SELECT count(*) FROM report_mails WHERE sent_at IS NULL`), "the record knows no answer yet")
	victim.kill()

	launch(t, h.env, "worker")
	h.ahead(17 * time.Minute) // its lease is over, and it is looked for reports again
	h.eventually("the report is told", func() bool { return h.sum(`SELECT count(*) FROM reports WHERE delivered_at IS NOT NULL`) == 1 })
	h.ahead(23 * time.Minute)
	h.eventually("it is looked for reports once more", func() bool {
		return h.sum(`SELECT count(*) FROM leadership WHERE reported_at > (SELECT delivered_at FROM reports)`) == 1
	})
	mails := box.Inbox()
	require.Len(t, mails, 2)
	require.NotEmpty(t, mails[0].Header.Get("Message-Id"))
	require.Equal(t, mails[0].Header.Get("Message-Id"), mails[1].Header.Get("Message-Id"))
	require.Equal(t, words(mails[0]), words(mails[1]))
	require.Equal(t, 1, h.sum(`SELECT count(*) FROM reports`))
	require.Equal(t, 1, h.sum(`SELECT count(*) FROM report_mails WHERE sent_at IS NOT NULL AND attempts = 1`))
	require.Equal(t, len(volumes), h.count(`report_id = (SELECT id FROM reports)`))
	h.once(volumes)
}

// ahead sets the database's clock, by which all wait, so far before the wall's.
func (h *house) ahead(by time.Duration) {
	h.t.Helper()
	const q = `CREATE OR REPLACE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp() + interval ''%d s'''`
	_, err := h.db.Exec(h.ctx, fmt.Sprintf(q, int(by.Seconds())))
	require.NoError(h.t, err)
}

// sum reads one number.
func (h *house) sum(q string) (n int) {
	h.t.Helper()
	require.NoError(h.t, h.db.QueryRow(h.ctx, q).Scan(&n))
	return n
}
