package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// orphanedProject is an environment in which the project acme is deleted. It has left one chain of each volume: expired and
// young restore points ("plain"), a chain with a tenant's incremental on its leaf ("shared"), an encrypted one ("vault"), and
// a failed leftover ("broken").
type orphanedProject struct {
	*environment

	acme    string
	plain   string
	shared  string
	vault   string
	broken  string
	foreign string // the tenant's backup
}

func newOrphanedProject(t *testing.T, changes ...func(*backup.Settings, *cloudsim.Options)) *orphanedProject {
	t.Helper()
	h := &orphanedProject{environment: daily(t, append(changes, fourPlansADay, func(_ *backup.Settings, o *cloudsim.Options) { o.DeleteTime = cloudsim.Fixed(0) })...)}
	h.acme = h.Sim.AddProject("acme")
	alice := h.Sim.AddUser("alice", "alice", "")
	h.Sim.Grant(alice, h.acme, "member")
	server, volumes := h.addNamed(h.acme, "web-1", "true", "plain", "shared")
	h.plain, h.shared = volumes[0], volumes[1]
	h.vault = h.Sim.AddVolume(h.acme, "vault", 1, cloudsim.VolumeOptions{Encrypted: true})
	h.Sim.Attach(server, h.vault)
	h.Advance(3*day-time.Hour, time.Hour)
	require.Equal(t, "FII", h.Kinds(h.plain))
	h.foreign = h.Sim.AddBackup(cloudsim.NewBackup{Volume: h.shared, User: alice, Name: "mine", Parent: h.LastRecord(h.shared).BackupID})
	h.Step(time.Hour)
	other, broken := h.addNamed(h.acme, "web-2", "true", "broken")
	h.broken = broken[0]
	h.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 1, Match: func(r cloudsim.Request) bool { return r.Volume == broken[0] }, Do: cloudsim.FailLater{Reason: "the store is full"}})
	h.Sim.DeleteServer(server)
	h.RunDue()
	h.Sim.DeleteServer(other)
	h.Step(time.Minute)
	h.Sim.DeleteProject(h.acme) // the poll does not find the project any more
	h.Dispatch()
	require.Equal(t, backup.Failed, h.LastRecord(h.broken).State)
	h.Advance(day, 6*time.Hour)
	require.Len(t, h.Sim.Backups(), 3+4+3+1, "not reachable: no backup was removed")
	return h
}

// requireLeafFirst asserts that no deletion was requested before all dependents were gone, and returns the deleted backups of
// a volume in order.
func (w *environment) requireLeafFirst(volumeID string) (deleted []string) {
	w.T.Helper()
	parents, gone := map[string]string{}, map[string]bool{}
	for _, b := range w.Sim.Backups() {
		parents[b.ID] = b.Parent
	}
	for _, e := range w.Sim.Journal() {
		switch e.Kind {
		case cloudsim.BackupDeletion, cloudsim.BackupForceDeletion:
			for child, parent := range parents {
				require.False(w.T, parent == e.Backup && !gone[child], "deletion of %s requested before its dependent %s was gone", e.Backup, child)
			}
		case cloudsim.BackupDeleted:
			gone[e.Backup] = true
			if e.Volume == volumeID {
				deleted = append(deleted, e.Backup)
			}
		}
	}
	return deleted
}

// backupIDs returns the backup IDs of a volume's records, newest first.
func (w *environment) backupIDs(volumeID string) (ids []string) {
	for _, r := range w.RecordsOf(volumeID) {
		if r.BackupID != "" {
			ids = append([]string{r.BackupID}, ids...)
		}
	}
	return ids
}

// --all removes all our backups, leaf first, except for those with foreign dependents and those whose secret is not
// accessible.
func TestPurgeAll(t *testing.T) {
	t.Parallel()
	h := newOrphanedProject(t)
	before := h.backupIDs(h.plain)
	out := h.runWithInput(1, "yes\n", "purge-project", "--project", h.acme, "--all")
	require.Contains(t, oneLine(out), "Refused for volume vault")
	require.Contains(t, oneLine(out), "4 of 7 removed")
	require.Contains(t, out, "foreign_dependent")
	require.Equal(t, "deleted deleted deleted", h.History(h.plain))
	require.Equal(t, before, h.requireLeafFirst(h.plain))
	require.Equal(t, backup.ProjectPurged, h.LastRecord(h.plain).RemovalReason)
	require.Equal(t, "available available available", h.History(h.shared), "the tenant's incremental depends on them")
	require.Equal(t, "available available available", h.History(h.vault))
	require.Equal(t, backup.SecretRightUnknown, h.LastRecord(h.vault).RemovalReason)
	require.Equal(t, backup.Deleted, h.RecordsOf(h.broken)[0].State)
	for _, b := range h.Sim.Backups() {
		require.True(t, b.Restorable)
	}
	require.Len(t, h.Sim.BackupsOf(h.shared), 4)
	require.Regexp(t, `^purge-project: error: purge project acme .*4 of 7 removed`, h.lastAudits(1)[0])

	h.Sim.RemoveBackup(h.foreign)
	h.run(1, "purge-project", "--project", "acme", "--all")
	require.Equal(t, "deleted deleted deleted", h.History(h.shared), "removed when the tenant's incremental is gone")
	h.requireInvariants()
}

// Without --all, expired restore points and leftovers are removed.
func TestPurgeWithoutAllRemovesExpiredBackups(t *testing.T) {
	t.Parallel()
	h := newOrphanedProject(t)
	out := h.runWithInput(0, "yes\n", "purge-project", "--project", "acme")
	require.Contains(t, oneLine(out), "1 of 1 removed. Done. 10 backups are kept, for the reasons above; --all also removes backups whose retention or grace has not ended.", "the youngest link keeps its chain")
	require.Equal(t, backup.Deleted, h.RecordsOf(h.broken)[0].State)
	require.Equal(t, "available available available", h.History(h.plain))
	h.Advance(9*day, 6*time.Hour) // over PROTECTION_GRACE
	out = h.runWithInput(1, "yes\n", "purge-project", "--project", "acme")
	require.Contains(t, oneLine(out), "3 of 6 removed")
	require.Equal(t, "deleted deleted deleted", h.History(h.plain))
	require.Equal(t, backup.RetentionOver, h.LastRecord(h.plain).RemovalReason)
	require.Equal(t, "available available available", h.History(h.shared))
	h.requireLeafFirst(h.plain)
	h.requireInvariants()
}

// An existing project is not purged, and neither is a project whose purge is not confirmed.
func TestPurgeRefused(t *testing.T) {
	t.Parallel()
	h := newOrphanedProject(t)
	globex := h.Sim.AddProject("globex")
	_, theirs := h.Protect(globex, "web-3", 1)
	h.Advance(12*time.Hour, 6*time.Hour)
	for _, disabled := range []bool{false, true} {
		if disabled {
			h.Sim.DisableProject(globex)
		}
		out := oneLine(h.run(1, "purge-project", "--project", "globex", "--all"))
		require.Contains(t, out, "purge project globex ("+globex+"): ")
		require.Contains(t, out, "Keystone still knows the project")
	}
	require.Contains(t, h.run(2, "purge-project", "--project", "nowhere"), "no volume or backup of such a project is known")
	for _, input := range []string{"no\n", "", "acme\n"} {
		out := oneLine(h.runWithInput(1, input, "purge-project", "--project", "acme", "--all"))
		require.Contains(t, out, "Remove 7 backups of project acme ("+h.acme+") for good? [yes/no]")
		require.Contains(t, out, "not confirmed: nothing is removed")
	}
	h.run(0, "pause")
	require.Contains(t, oneLine(h.run(1, "purge-project", "--project", "acme", "--all")), "nothing is removed during a pause: Paused: all projects")
	require.Empty(t, h.events(cloudsim.BackupDeletion, ""))
	require.Equal(t, "available", h.History(theirs[0]))
	require.Len(t, h.lastAudits(10), 1, "the pause")
	list := h.run(0, "purge-project")
	require.Contains(t, oneLine(list), "Project acme ("+h.acme+") is deleted and left 10 backups, which Cinder charges as 10 GiB.")
	require.NotContains(t, list, "globex")
	h.requireInvariants()
}

// An interrupted purge can be run again, with the same result.
func TestPurgeInterrupted(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"stopped": syscall.SIGTERM, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newOrphanedProject(t)
			stall := h.Sim.AddFault(cloudsim.Fault{Route: rig.DeleteRoute, Times: 1, Match: func(r cloudsim.Request) bool { return r.Volume == h.plain }, Do: cloudsim.StallAfterEffect{}})
			running := h.startCommand("yes\n", "purge-project", "--project", "acme", "--all")
			h.eventually("the deletion of the leaf is requested", func() bool { return len(h.events(cloudsim.BackupDeletion, h.plain)) == 1 })
			require.NoError(t, running.cmd.Process.Signal(signal))
			if signal == syscall.SIGKILL {
				_, _ = running.wait()
				require.Equal(t, "purge-project: ", h.lastAudits(1)[0], "the progress is not recorded")
			}
			stall()
			out, code := running.wait()
			require.NotZero(t, code)
			if signal == syscall.SIGTERM {
				require.Contains(t, oneLine(out), "removed, start it again to continue")
				require.Contains(t, h.lastAudits(1)[0], "start it again to continue")
			}
			h.Step(3 * time.Minute) // the lease of a killed process expires
			h.run(1, "purge-project", "--project", "acme", "--all")
			require.Equal(t, "deleted deleted deleted", h.History(h.plain))
			require.Len(t, h.requireLeafFirst(h.plain), 3)
			require.Len(t, h.events(cloudsim.BackupDeletion, h.plain), 3, "no deletion is requested twice")
			h.requireInvariants()
		})
	}
}

// A purged project is not listed any more. The audit lists the operators' actions, newest first.
func TestPurgedProjectIsAuditedAndNoLongerListed(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay, func(_ *backup.Settings, o *cloudsim.Options) { o.DeleteTime = cloudsim.Fixed(0) })
	acme := w.Sim.AddProject("acme")
	_, volumes := w.Protect(acme, "web-1", 1)
	w.Advance(2*day, time.Hour)
	w.Sim.DeleteProject(acme) // without its servers and volumes
	require.Contains(t, w.run(0, "purge-project"), "staffeln purge-project --project "+acme)
	out := w.runWithInput(0, "yes\n", "purge-project", "--project", "acme", "--all")
	require.Contains(t, oneLine(out), "2 of 2 removed. Done. No backup of it is left.")
	require.Equal(t, "deleted deleted", w.History(volumes[0]))
	require.Contains(t, w.run(0, "purge-project"), "Nothing to purge")
	require.Contains(t, oneLine(w.run(0, "purge-project", "--project", "acme")), "Nothing is removed now. No backup of it is left. 1 volume of it still exists")
	require.Equal(t, []string{"purge-project: 2 of 2 removed"}, w.lastAudits(10))

	w.run(0, "pause")
	w.run(0, "pause", "--why", "still the upgrade")
	w.run(0, "resume")
	text := w.terminal(0, "audit")
	require.Equal(t, 4, strings.Count(text, " by ann@desk\n"))
	var seen struct {
		Lines []struct{ Action, Object, Outcome string }
	}
	raw := w.terminal(0, "audit", "--json", "--limit", "2")
	require.NoError(t, json.Unmarshal([]byte(raw), &seen))
	require.Len(t, seen.Lines, 2)
	require.Equal(t, []string{"resume", "pause"}, []string{seen.Lines[0].Action, seen.Lines[1].Action})
	var held map[string]any
	require.NoError(t, json.Unmarshal([]byte(raw), &held))
	rig.RequireDocumented(t, w.terminal(0, "audit", "--help"), held)
	require.Contains(t, w.terminal(2, "audit", "--limit", "-1"), "read --limit: -1: want 0 (all) or more")
	require.True(t, slices.IsSorted([]int{strings.Index(text, "resume"), strings.Index(text, "purge-project")}), "the newest first")
	w.requireInvariants()
}
