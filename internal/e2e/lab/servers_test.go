//go:build openstack

package lab

import (
	"net/http"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/stretchr/testify/require"
)

// labServer is a server with its volumes.
type labServer struct {
	client  *labClient
	ID      string
	Name    string
	Volumes []string // IDs; the first one is the boot volume
}

// makeVolume creates an empty volume of 1 GiB.
func (h *labClient) makeVolume(name string) string {
	h.t.Helper()
	v, err := volumes.Create(h.ctx(), h.volume, volumes.CreateOpts{Size: 1, Name: h.prefix + "-" + name}, nil).Extract()
	require.NoError(h.t, err)
	return v.ID
}

func (h *labClient) volumeStatus(id string) string {
	h.t.Helper()
	v, err := volumes.Get(h.ctx(), h.volume, id).Extract()
	if gophercloud.ResponseCodeIs(err, http.StatusNotFound) {
		return "gone"
	}
	require.NoError(h.t, err)
	return v.Status
}

func (h *labClient) awaitVolume(id, status string) {
	h.t.Helper()
	h.until("volume "+id+" is "+status, 2*time.Minute, func() bool {
		is := h.volumeStatus(id)
		require.True(h.t, is == status || !strings.HasPrefix(is, "error"), "volume %s is %s", id, is)
		return is == status
	})
}

// boot creates a server with this metadata from new volumes of 1 GiB.
func (h *labClient) boot(name string, size int, metadata map[string]string) *labServer {
	h.t.Helper()
	s := &labServer{client: h, Name: h.prefix + "-" + name}
	for range size {
		s.Volumes = append(s.Volumes, h.makeVolume(name))
	}
	var devices []servers.BlockDevice
	for i, id := range s.Volumes {
		h.awaitVolume(id, "available")
		devices = append(devices, servers.BlockDevice{UUID: id, BootIndex: min(i, 1) * -1, SourceType: servers.SourceVolume, DestinationType: servers.DestinationVolume})
	}
	require.NoError(h.t, volumes.SetBootable(h.ctx(), h.volume, s.Volumes[0], volumes.BootableOpts{Bootable: true}).ExtractErr())
	pages, err := flavors.ListDetail(h.compute, flavors.ListOpts{SortKey: "memory_mb"}).AllPages(h.ctx())
	require.NoError(h.t, err)
	known, err := flavors.ExtractFlavors(pages)
	require.NoError(h.t, err)
	require.NotEmpty(h.t, known, "the cloud has no flavor to make a server of")
	made, err := servers.Create(h.ctx(), h.compute, servers.CreateOpts{
		Name: s.Name, FlavorRef: known[0].ID, Networks: "none", Metadata: metadata, BlockDevice: devices,
	}, nil).Extract()
	require.NoError(h.t, err)
	s.ID = made.ID
	h.until("server "+s.Name+" is active", 3*time.Minute, func() bool {
		is, err := servers.Get(h.ctx(), h.compute, s.ID).Extract()
		require.NoError(h.t, err)
		require.NotEqual(h.t, "ERROR", is.Status, "server %s: %v", s.Name, is.Fault)
		return is.Status == "ACTIVE"
	})
	return s
}

// setMetadata sets metadata of the server, as its owner.
func (s *labServer) setMetadata(key, value string) {
	s.client.t.Helper()
	_, err := servers.UpdateMetadata(s.client.ctx(), s.client.compute, s.ID, servers.MetadataOpts{key: value}).Extract()
	require.NoError(s.client.t, err)
}

// resetVolume sets a volume's status in Cinder's database, as an administrator.
func (s *labTest) resetVolume(id, status string) {
	s.t.Helper()
	require.NoError(s.t, volumes.ResetStatus(s.ctx(), s.admin.volume, id, volumes.ResetStatusOpts{Status: status}).ExtractErr())
}
