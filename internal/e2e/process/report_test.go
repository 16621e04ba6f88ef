package process

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit/mailbox"
)

// A worker is killed after the mail server accepted the report and before this was recorded: another worker sends it again,
// with the same Message-ID, and the report is recorded as delivered once.
func TestKilledWorkerSendsItsMailAgain(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, mailbox.Options{TLS: true})
	h := rig.NewDeployment(t, cloudsim.Options{BackupTime: cloudsim.Fixed(time.Second)}, map[string]string{
		"STAFFELN_SENDER_EMAIL": rig.Sender, "STAFFELN_RECEIVER": "ops@ops.example", "STAFFELN_REPORT_PERIOD": "600",
		"STAFFELN_SMTP_SERVER": box.Address, "STAFFELN_SMTP_CA_FILE": box.CAFile, "STAFFELN_SMTP_TLS": "required",
	})
	volumes := cloudsim.Seed(h.Sim, cloudsim.SeedOptions{Projects: 1, Servers: 1, VolumesPerServer: 2, MetadataKey: "__staffeln_backup"}).Volumes
	rig.Launch(t, h.Env, "scheduler")
	victim := rig.Launch(t, h.Env, "worker")
	h.Eventually("the backups are recorded", func() bool { return h.Count("state = 'available'") == len(volumes) })

	box.MuteAfterData(1) // it accepts the mail, and the worker waits for its response
	setAhead(h, 11*time.Minute)
	h.Eventually("the mail server has the report", func() bool { return len(box.Inbox()) == 1 })
	require.Equal(t, 1, queryInt(h, `SELECT count(*) FROM report_mails WHERE sent_at IS NULL`), "no response is recorded yet")
	victim.Kill()

	rig.Launch(t, h.Env, "worker")
	setAhead(h, 17*time.Minute) // the lease expires, and another report run is due
	h.Eventually("the report is recorded as delivered", func() bool { return queryInt(h, `SELECT count(*) FROM reports WHERE delivered_at IS NOT NULL`) == 1 })
	setAhead(h, 23*time.Minute)
	h.Eventually("another report run has finished", func() bool {
		return queryInt(h, `SELECT count(*) FROM leadership WHERE reported_at > (SELECT delivered_at FROM reports)`) == 1
	})
	mails := box.Inbox()
	require.Len(t, mails, 2)
	require.NotEmpty(t, mails[0].Header.Get("Message-Id"))
	require.Equal(t, mails[0].Header.Get("Message-Id"), mails[1].Header.Get("Message-Id"))
	require.Equal(t, rig.MailText(mails[0]), rig.MailText(mails[1]))
	require.Equal(t, 1, queryInt(h, `SELECT count(*) FROM reports`))
	require.Equal(t, 1, queryInt(h, `SELECT count(*) FROM report_mails WHERE sent_at IS NOT NULL AND attempts = 1`))
	require.Equal(t, len(volumes), h.Count(`report_id = (SELECT id FROM reports)`))
	requireOneBackup(h, volumes)
}

// setAhead sets the database clock, which all processes use, ahead of the wall clock.
func setAhead(h *rig.Deployment, by time.Duration) {
	h.T.Helper()
	const q = `CREATE OR REPLACE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp() + interval ''%d s'''`
	_, err := h.DB.Exec(h.Ctx, fmt.Sprintf(q, int(by.Seconds())))
	require.NoError(h.T, err)
}

// queryInt reads one number.
func queryInt(h *rig.Deployment, q string) (n int) {
	h.T.Helper()
	require.NoError(h.T, h.DB.QueryRow(h.Ctx, q).Scan(&n))
	return n
}
