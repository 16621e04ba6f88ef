package view

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// Cinder must never make the target: the volume is made first, with the same size,
// type and zone, and the restore names its ID.
func TestRestoreCommandsCreateTargetVolumeFirst(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC) }
	link := func(id string, day int, kind backup.Kind, status backup.Status) backup.Link {
		return backup.Link{BackupID: id, RecordID: "r", ProjectID: "acme", Kind: kind, Status: status, SizeGiB: 20, DataTime: at(day)}
	}
	v := &Explanation{Zone: "az 1", SizeGiB: 40}
	v.VolumeID, v.ProjectID = "3b1c0f0e-8d6e-4c39-a6f5-6f2f6f1d2a10", "acme"
	none, newest := v.restoresOf(nil)
	require.Empty(t, none)
	require.Nil(t, newest)
	links := map[string][]backup.Link{"acme": {
		link("aaaaaaaa-1", 1, backup.Full, backup.StatusAvailable), link("bbbbbbbb-2", 2, backup.Incremental, backup.StatusAvailable),
		link("cccccccc-3", 3, backup.Incremental, backup.StatusError), // no restore point
	}}
	all, r := v.restoresOf(links)
	commands := []string{
		"BACKUP=bbbbbbbb-2 SIZE=20 ZONE='az 1'",
		"TYPE=$(openstack volume show -f value -c type 3b1c0f0e-8d6e-4c39-a6f5-6f2f6f1d2a10)",
		`NEW=$(openstack volume create -f value -c id --size "${SIZE:?}" --type "${TYPE:?}" --availability-zone "${ZONE:?}" "restored-${BACKUP:?}")`,
		`while [ "$(openstack volume show -f value -c status "${NEW:?}")" = creating ]; do sleep 2; done`,
		`openstack volume backup restore --force "${BACKUP:?}" "${NEW:?}"`,
	}
	require.Equal(t, &Restore{BackupID: "bbbbbbbb-2", DataAt: at(2), ProjectID: "acme", Commands: commands}, r)
	require.Len(t, all, 2, "each link that can be restored has its commands")
	require.Equal(t, append([]string{"BACKUP=aaaaaaaa-1 SIZE=20 ZONE='az 1'"}, commands[1:]...), all["aaaaaaaa-1"].Commands)
	require.False(t, r.typeUnknown)
	for _, line := range r.Lines() {
		require.LessOrEqual(t, len(line), 78, line)
	}

	v.GoneAt = new(at(4))
	_, r = v.restoresOf(links)
	require.True(t, r.typeUnknown, "nobody can ask for the type of a volume that is gone")
	require.NotContains(t, strings.Join(r.Commands, "\n"), "-c type")
	// In a shell: without the type, or if no volume was made, nothing is restored.
	script := "openstack() { echo \"$@\" >&2; }\n" + strings.Join(r.Lines(), "\n")
	output, err := exec.CommandContext(t.Context(), "sh", "-c", script).CombinedOutput()
	require.Error(t, err)
	require.NotContains(t, string(output), "backup restore")
	output, err = exec.CommandContext(t.Context(), "sh", "-c", "TYPE=luks\n"+script).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(output), "volume create -f value -c id --size 20 --type luks --availability-zone az 1 restored-bbbbbbbb-2")
	require.NotContains(t, string(output), "backup restore")
	made := strings.Replace("TYPE=luks\n"+script, "\"$@\" >&2", "new-id; echo \"$@\" >&2", 1)
	output, err = exec.CommandContext(t.Context(), "sh", "-c", made).CombinedOutput()
	require.NoError(t, err)
	require.Contains(t, string(output), "volume backup restore --force bbbbbbbb-2 new-id")
}
