package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// A name that the cloud's database cannot store causes a 500: the record's next request uses plain texts.
func TestUnstorableNameIsReplaced(t *testing.T) {
	for name, status := range map[string]int{"refused": http.StatusBadRequest, "failing": http.StatusInternalServerError} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := daily(t)
			w.Sim.AddFault(cloudsim.RefuseTexts("POST /volume/v3/{project}/backups", cloudsim.BeyondASCII, status))
			_, volumes := w.Protect(w.Sim.AddProject("acme"), "データ", 1)
			w.Plan()
			w.Advance(2*time.Hour, time.Minute)
			require.Equal(t, "available", w.History(volumes[0]))
			require.Len(t, w.Sim.Backups(), 1)
			w.requireInvariants()
		})
	}
}

// If the response to a request with plain texts is lost, the backup is adopted by the tag in its description.
func TestPlainBackupIsAdoptedByItsDescription(t *testing.T) {
	t.Parallel()
	w := daily(t)
	route := "POST /volume/v3/{project}/backups"
	w.Sim.AddFault(cloudsim.RefuseTexts(route, cloudsim.BeyondASCII, http.StatusBadRequest))
	w.Sim.AddFault(cloudsim.Fault{
		Route: route, Times: 1, Do: cloudsim.DropAfterEffect{},
		Match: func(r cloudsim.Request) bool { return !strings.Contains(string(r.Body), "データ") },
	})
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "データ", 1)
	w.Plan()
	w.Advance(2*time.Hour, time.Minute)
	require.Equal(t, "available", w.History(volumes[0]))
	require.Len(t, w.Sim.Backups(), 1)
	require.Empty(t, w.Sim.Backups()[0].Metadata)
	require.Equal(t, 1, w.logged("info", "backup adopted by its tag"))
	w.requireInvariants()
}

// An availability zone without cinder-backup is reported together with the setting that helps (B8), and the setting works.
func TestZoneWithoutBackupService(t *testing.T) {
	t.Parallel()
	for name, mapped := range map[string]bool{"not mapped": false, "mapped": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := daily(t, func(set *backup.Settings, o *cloudsim.Options) {
				o.Release = cloudsim.Epoxy
				if mapped {
					set.BackupZones = backup.Zones{"nova": "east"}
				}
			})
			w.Sim.SetBackupZones("east")
			_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
			w.Plan()
			w.Advance(time.Hour, time.Minute)
			if mapped {
				require.Equal(t, "available", w.History(volumes[0]))
				return
			}
			require.Positive(t, w.Count("reason = 'no_service_in_zone' AND reason_text LIKE '%\"nova\"%STAFFELN_BACKUP_ZONES%'"))
		})
	}
}
