package openstack

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// restore restores a backup into that volume or, if volume is "", into one that Cinder makes. It returns the content of the
// restored volume.
func (e *env) restore(t *testing.T, backupID, volume string) []byte {
	t.Helper()
	ctx := t.Context()
	want := object{"name": e.client.prefix + "-restored"}
	if volume != "" {
		want = object{"volume_id": volume}
	}
	response := e.client.must(ctx, t, e.home, http.MethodPost, e.client.cinder(e.home, "/backups/"+backupID+"/restore"), object{"restore": want})
	into := str(response, "restore", "volume_id")
	if volume == "" {
		e.client.removed(t, e.home, into)
	} else {
		require.Equal(t, volume, into)
	}
	e.client.until(t, "restored", func() bool {
		status := str(e.client.must(ctx, t, e.home, http.MethodGet, e.client.cinder(e.home, "/volumes/"+into), nil), "volume", "status")
		require.NotEqual(t, "error_restoring", status)
		return status == "available"
	})
	e.untilStatus(t, backupID, backup.StatusAvailable)
	have, err := os.ReadFile(filepath.Join(labFolder(t), "volumes", "volume-"+into))
	require.NoError(t, err)
	return have
}

// restoredBothWays: on releases from 2023.1 to 2026.1, if Cinder makes the target volume, a range that is zero in an
// incremental but not in its full is silently restored with the old data of the full. In a volume that existed before, all
// bytes are right on every release. That is why all our code names the volume.
func restoredBothWays(t *testing.T, e *env) {
	volume := e.client.volume(t, e.home)
	file := filepath.Join(labFolder(t), "volumes", "volume-"+volume)
	about, err := os.Stat(file)
	require.NoError(t, err)
	first := bytes.Repeat([]byte("what was there at the time of the full. "), int(about.Size())/40+1)[:about.Size()]
	write := func(all []byte) {
		f, err := os.OpenFile(file, os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = f.WriteAt(all, 0)
		require.NoError(t, err)
		require.NoError(t, f.Sync())
		require.NoError(t, f.Close())
	}
	write(first)
	full := e.createAvailable(t, volume, backup.Full)
	e.waitSecond(t)
	second := bytes.Clone(first)
	clear(second[1<<20 : 3<<20]) // deleted and trimmed after the full
	copy(second[4<<20:], "and this was changed")
	write(second)
	leaf := e.createAvailable(t, volume, backup.Incremental)

	assert.True(t, bytes.Equal(first, e.restore(t, full.ID, "")), "a full into a new volume")
	assert.True(t, bytes.Equal(first, e.restore(t, full.ID, e.client.volume(t, e.home))), "a full into a given volume")
	assert.True(t, bytes.Equal(second, e.restore(t, leaf.ID, e.client.volume(t, e.home))), "an incremental into a given volume")
	used := e.client.volume(t, e.home)
	e.restore(t, full.ID, used)
	assert.True(t, bytes.Equal(second, e.restore(t, leaf.ID, used)), "an incremental into a given volume that was not empty")

	fresh := e.restore(t, leaf.ID, "")
	assert.Equal(t, !e.newer(), bytes.Equal(second, fresh), "an incremental into a new volume")
	if e.newer() {
		stale := bytes.Clone(second)
		copy(stale[1<<20:3<<20], first[1<<20:3<<20])
		assert.True(t, bytes.Equal(stale, fresh), "the zeros of the incremental are left out: data of the full comes back")
	}
}

// removed deletes, at the end of the test, a volume that the client did not make.
func (h *client) removed(t *testing.T, project, volume string) {
	t.Helper()
	cleanup(t, func(ctx context.Context) {
		h.until(t, "volume deleted", func() bool {
			status, _ := h.send(ctx, t, project, http.MethodDelete, h.cinder(project, "/volumes/"+volume), nil)
			return status == http.StatusNotFound
		})
	})
}
