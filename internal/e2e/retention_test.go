package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

const day = 24 * time.Hour

// fourPlansADay sets a service period of six hours.
func fourPlansADay(set *backup.Settings, o *cloudsim.Options) {
	set.BackupServicePeriod, set.RetentionServicePeriod = backup.Duration(6*time.Hour), backup.Duration(6*time.Hour)
	set.RetentionTime = backup.Period{Days: 3}
	o.DeleteTime = cloudsim.Fixed(10 * time.Minute)
}

// A chain is removed leaf first, each link only when Cinder no longer has its dependent. A full is kept while it has an
// incremental.
func TestChainIsRemovedLeafFirst(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(5*day-time.Hour, time.Hour)
	require.Equal(t, "FIIFI", w.Kinds(volumes[0]), "the full is past its three days, and an incremental on it is not")
	w.Advance(2*day, 20*time.Minute)
	require.Equal(t, "FIIF", w.Kinds(volumes[0]), "one chain has gone, the others have grown")

	gone := 0
	var asked []string
	for _, e := range w.Sim.Journal() {
		switch e.Kind {
		case cloudsim.BackupDeletion:
			require.Len(t, asked, gone, "a deletion was asked for before the one before was over")
			asked = append(asked, e.Backup)
			require.Equal(t, e.Project, e.Token)
		case cloudsim.BackupDeleted:
			require.Equal(t, asked[gone], e.Backup)
			gone++
		}
	}
	var chain []string
	for _, r := range w.RecordsOf(volumes[0])[:3] {
		require.Equal(t, backup.Deleted, r.State)
		require.Equal(t, backup.RetentionOver, r.RemovalReason)
		chain = append([]string{r.BackupID}, chain...)
	}
	require.Equal(t, chain, asked, "newest first")
	w.requireInvariants()
}

// A backup that is missing in a list is not proved to be gone: until Cinder returns a 404 for its ID, the next link is kept.
func TestRemovalIsConfirmedByID(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(5*day-time.Hour, time.Hour)
	leaf := w.RecordsOf(volumes[0])[2]
	w.Step(time.Hour)
	for w.RecordsOf(volumes[0])[2].State == backup.Available {
		w.Step(5 * time.Minute)
		w.RunDue()
	}
	require.Equal(t, backup.Deleting, w.RecordsOf(volumes[0])[2].State)
	remove := w.Sim.AddFault(cloudsim.Fault{Route: rig.ReadRoute, Backup: leaf.BackupID, Do: cloudsim.Refuse{
		Status: http.StatusNotFound, Body: `{"itemNotFound": {"code": 404, "message": "Service cinder-backup could not be found."}}`,
	}})
	w.Step(20 * time.Minute)
	w.Dispatch()
	w.Step(10 * time.Minute)
	w.Dispatch()
	w.waitForFaults(2)
	require.Equal(t, backup.Deleting, w.RecordsOf(volumes[0])[2].State, "a 404 that does not name the backup is no proof")
	require.Len(t, w.events(cloudsim.BackupDeletion, volumes[0]), 1)
	remove()
	w.Step(10 * time.Minute)
	w.Dispatch()
	require.Equal(t, backup.Deleted, w.RecordsOf(volumes[0])[2].State)
	require.Len(t, w.events(cloudsim.BackupDeletion, volumes[0]), 2)
	w.requireInvariants()
}

// The newest restore point and its parents are kept, however long later backups fail. Leftovers of the failed ones are removed
// at once.
func TestFloorOutlastsFailures(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(2*day-time.Hour, time.Hour)
	require.Equal(t, "FI", w.Kinds(volumes[0]))
	const trouble = "[Errno 20] Not a directory: 'BACKUPS/32'"
	w.Sim.BreakTarget(trouble)
	w.Step(time.Hour)
	w.Advance(17*day, 3*time.Hour)
	failed := w.Records("volume_id = $1 AND reason = 'backup_error'", volumes[0])
	require.GreaterOrEqual(t, len(failed), 17, "it is tried again and again")
	for i, r := range failed[:len(failed)-1] {
		require.Equal(t, backup.Deleted, r.State)
		require.Equal(t, trouble, r.ReasonText, "fail_reason")
		require.Equal(t, i >= 2, r.ForcedFull, "after two failed incrementals a full is tried")
	}
	require.True(t, strings.HasPrefix(w.Kinds(volumes[0]), "FI"), "the good ones are there, long past their retention")
	for _, b := range w.Sim.BackupsOf(volumes[0])[:2] {
		require.True(t, b.Restorable)
	}
	w.Sim.BreakTarget("")
	w.Advance(day, 3*time.Hour)
	w.Advance(day, 3*time.Hour)
	require.Equal(t, "FI", w.Kinds(volumes[0]), "a full begins a new chain when the target works again; then expired backups are removed")
	require.True(t, w.Sim.BackupsOf(volumes[0])[0].Created.After(failed[len(failed)-1].RequestedAt.Add(-time.Minute)))
	w.requireInvariants()
}

// A leftover that cannot be removed blocks incrementals for an interval at most; then a forced full is made.
func TestLeftoverBlocksIncrementalsForAnIntervalAtMost(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(day, 3*time.Hour)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 1, Do: cloudsim.FailLater{Reason: "broken pipe"}})
	remove := w.Sim.AddFault(cloudsim.Fault{Route: rig.DeleteRoute, Do: cloudsim.Refuse{
		Status: http.StatusForbidden, Body: `{"forbidden": {"code": 403, "message": "Policy doesn't allow backup:delete to be performed."}}`,
	}})
	w.Advance(day, 3*time.Hour)
	require.Equal(t, "FI", w.Kinds(volumes[0]))
	leftover := w.LastRecord(volumes[0])
	require.Equal(t, backup.Failed, leftover.State)
	require.Equal(t, backup.Forbidden, leftover.RemovalReason)
	w.Advance(12*time.Hour, 3*time.Hour)
	require.Equal(t, "FIF", w.Kinds(volumes[0]))
	full := w.LastRecord(volumes[0])
	require.Equal(t, backup.Available, full.State)
	require.True(t, full.ForcedFull)
	w.Advance(9*time.Hour, 3*time.Hour)
	require.Equal(t, backup.Undeletable, w.Records("id = $1", leftover.ID)[0].State)
	require.Equal(t, 1, w.logged("error", "backup not removable", leftover.ID))
	remove()
	w.Advance(day+6*time.Hour, 3*time.Hour)
	require.Equal(t, backup.Deleted, w.Records("id = $1", leftover.ID)[0].State, "tried daily")
	w.requireInvariants()
}
