package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/cloudsim"
)

// Refusals on two replicas that only together are a burst are a finding for a day. It names a user only if a client certificate
// has proved who called: else anybody could send another user's name.
func TestABurstOfRefusedDeletionsIsAFindingForADay(t *testing.T) {
	t.Parallel()
	w := daily(t, func(*backup.Settings, *cloudsim.Options) {})
	w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Plan()
	require.Empty(t, w.findings(backup.RefusalBurst))

	for range 2 {
		replica, err := w.DB.Checks(w.Ctx)
		require.NoError(t, err)
		t.Cleanup(replica.Close)
		_, err = replica.Add(w.Ctx, []db.DeleteCheck{
			{Judgement: "on_record", Verified: true, UserID: "mallory", ProjectID: "acme", BackupID: "b", Asked: 5},
			{Judgement: "on_record", Verified: true, UserID: "alice", ProjectID: "acme", BackupID: "b", Asked: 4},
			{Judgement: "on_record", Asked: 50},
		}, 10)
		require.NoError(t, err)
	}
	w.Plan()
	found := map[string]string{}
	for _, f := range w.findings(backup.RefusalBurst) {
		require.Empty(t, f.ProjectID, "no tenant sees the finding")
		found[f.Object] = f.Detail
	}
	at := w.Clock.Now().UTC().Truncate(time.Minute).Format(time.RFC3339)
	require.Equal(t, map[string]string{
		"mallory":    "user mallory of project acme was refused 10 deletions; minutes of too many: 1, the newest " + at,
		"unverified": "callers without a client certificate that is demanded were refused 100 deletions; minutes of too many: 1, the newest " + at,
	}, found)
	require.Equal(t, 2, w.metric("staffeln_findings", "reason", "refusal_burst"))
	w.Plan()
	require.Equal(t, 2, w.logged("error", "finding", "refusal_burst"), "each once")

	w.Step(db.BurstTime + time.Minute)
	w.Plan()
	require.Empty(t, w.findings(backup.RefusalBurst))
}
