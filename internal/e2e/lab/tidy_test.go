//go:build openstack

package lab

import (
	"net/http"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/backups"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/stretchr/testify/require"
)

const (
	tidyTime   = 2 * time.Minute  // for the removal of all objects of one kind
	forceAfter = 20 * time.Second // after that, removals are forced
)

// tidy removes everything in the project with the test's prefix: servers, then backups, parents last, then volumes. It also
// cleans up after a failed test.
func (h *labClient) tidy() {
	h.tidyServers()
	h.tidyBackups()
	h.tidyVolumes()
}

func (h *labClient) tidyServers() {
	h.removeAll("servers", func(bool) (left int) {
		pages, err := servers.List(h.compute, servers.ListOpts{Name: h.prefix}).AllPages(h.ctx())
		require.NoError(h.t, err)
		all, err := servers.ExtractServers(pages)
		require.NoError(h.t, err)
		for _, s := range all {
			h.noteRefusal("server "+s.Name, servers.Delete(h.ctx(), h.compute, s.ID).ExtractErr())
		}
		return len(all)
	})
}

func (h *labClient) tidyBackups() {
	h.removeAll("backups", func(force bool) (left int) {
		all := h.backups(backups.ListDetailOpts{})
		for _, b := range all {
			if force && b.Status == "creating" { // of a deleted volume: it never ends
				h.noteRefusal("backup "+b.Name, backups.ForceDelete(h.ctx(), h.admin.volume, b.ID).ExtractErr())
				continue
			}
			h.noteRefusal("backup "+b.Name, backups.Delete(h.ctx(), h.volume, b.ID).ExtractErr()) // refused while it has dependents
		}
		return len(all)
	})
}

func (h *labClient) tidyVolumes() {
	h.removeAll("volumes", func(force bool) (left int) {
		pages, err := volumes.List(h.volume, volumes.ListOpts{}).AllPages(h.ctx())
		require.NoError(h.t, err)
		all, err := volumes.ExtractVolumes(pages)
		require.NoError(h.t, err)
		for _, v := range all {
			if !strings.HasPrefix(v.Name, h.prefix) {
				continue
			}
			left++
			if force && v.Status == "in-use" { // its server was deleted during a backup, and the end of the backup set the status again
				h.noteRefusal("volume "+v.Name, volumes.ResetStatus(h.ctx(), h.admin.volume, v.ID, volumes.ResetStatusOpts{Status: "available", AttachStatus: "detached"}).ExtractErr())
			}
			h.noteRefusal("volume "+v.Name, volumes.Delete(h.ctx(), h.volume, v.ID, nil).ExtractErr())
		}
		return left
	})
}

// tidyLeft removes the backups of a deleted project, as the administrator.
func (h *labClient) tidyLeft(project string) {
	h.removeAll("backups that the project left", func(bool) (left int) {
		for _, b := range h.backups(backups.ListDetailOpts{AllTenants: true}) {
			if b.ProjectID == project {
				left++
				h.noteRefusal("backup "+b.Name, backups.Delete(h.ctx(), h.volume, b.ID).ExtractErr())
			}
		}
		return left
	})
}

// removeAll calls remove until nothing is left. After a while it forces the removal, and in the end it reports what was
// refused.
func (h *labClient) removeAll(what string, remove func(force bool) (left int)) {
	began := time.Now()
	done := false
	h.refused = map[string]error{}
	defer func() {
		if !done {
			h.t.Logf("refused: %v", h.refused)
		}
	}()
	h.until(what+" of "+h.prefix+" are gone", tidyTime, func() bool {
		done = remove(time.Since(began) > forceAfter) == 0
		return done
	})
}

// noteRefusal stores why a deletion was refused.
func (h *labClient) noteRefusal(what string, err error) {
	if err != nil && !gophercloud.ResponseCodeIs(err, http.StatusNotFound) {
		h.refused[what] = err
	}
}

// backups lists the backups of the test that the client can see. Their names begin with the test's prefix, because a backup's
// name begins with its server's name.
func (h *labClient) backups(opts backups.ListDetailOpts) (mine []backups.Backup) {
	h.t.Helper()
	pages, err := backups.ListDetail(h.volume, opts).AllPages(h.ctx())
	require.NoError(h.t, err)
	all, err := backups.ExtractBackups(pages)
	require.NoError(h.t, err)
	for _, b := range all {
		if strings.HasPrefix(b.Name, h.prefix) {
			mine = append(mine, b)
		}
	}
	return mine
}
