package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// Case C4: when protection ends and there are restore points, the project and the operator get a mail at once, long before the
// first of them expires.
func TestNotice_ProtectionThatEndedIsMailedAtOnce(t *testing.T) {
	for reason, end := range map[backup.Reason]func(p *reportEnvironment, server, volume string){
		backup.EndMetadata: func(p *reportEnvironment, server, _ string) {
			p.Sim.SetMetadata(server, p.Settings.BackupMetadataKey, "false")
		},
		backup.EndDetached:      func(p *reportEnvironment, server, volume string) { p.Sim.Detach(server, volume) },
		backup.EndServerDeleted: func(p *reportEnvironment, server, _ string) { p.Sim.DeleteServer(server) },
		backup.EndVolumeDeleted: func(p *reportEnvironment, server, volume string) {
			p.Sim.DeleteServer(server)
			p.Sim.DeleteVolume(volume)
		},
	} {
		t.Run(string(reason), func(t *testing.T) {
			t.Parallel()
			p, acme, server, volume := afterReport(t, toMembersAndOperator)
			end(p, server, volume)
			p.advanceAll(3 * time.Hour)
			for _, to := range []string{"alice@acme.example", "ops@ops.example"} {
				mails := p.mailsAbout(to, "Backups of acme: protection of 1 volume ended")
				require.Len(t, mails, 1, to)
				for _, word := range []string{volume, server, acme, "data on web-1", reason.Sentence(), "restore points are left; the last one is removed at"} {
					require.Contains(t, unwrapped(mails[0]), word)
				}
			}
			require.Empty(t, p.events(cloudsim.BackupDeletion, volume))
			p.advanceAll(12 * time.Hour)
			require.Len(t, p.mailsAbout("alice@acme.example", "protection of 1 volume ended"), 1, "once")
			p.requireInvariants()
		})
	}
}
