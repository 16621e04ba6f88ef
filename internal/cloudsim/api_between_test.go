package cloudsim

import (
	"testing"
	"time"
)

const (
	serversPath = "/compute/v2.1/servers"
	volumesPath = "/volume/v3/{p}/volumes"
	allServers  = serversPath + "/detail?all_tenants=1&limit=10"
)

// serverAndVolume makes a server of acme with one volume attached.
func (l *bench) serverAndVolume() (server, volume string) {
	s := l.cloud.AddServer(l.acme, "web-1", map[string]string{"k": "true"})
	v := l.cloud.AddVolume(l.acme, "data", 1)
	l.cloud.Attach(s, v)
	return s, v
}

// wantServer checks the server's status and its volume, in the list and by ID.
func (l *bench) wantServer(id, status, volume string) {
	l.t.Helper()
	byID := l.foreign.get(serversPath + "/" + id).want(200)
	listed := l.foreign.get(allServers).want(200)
	for where, r := range map[string]any{"by ID": byID.at("server"), "listed": listed.at("servers.0")} {
		s, _ := r.(map[string]any)
		attached, _ := s["os-extended-volumes:volumes_attached"].([]any)
		if s["status"] != status || len(attached) != 1 || attached[0].(map[string]any)["id"] != volume { //nolint:errcheck // a test
			l.t.Fatalf("%s: %v", where, s)
		}
	}
}

// wantVolume checks the status of a volume and its number of attachments.
func (l *bench) wantVolume(id, status string, attachments int) reply {
	l.t.Helper()
	r := l.foreign.get(volumesPath + "/" + id).want(200)
	if r.text("volume.status") != status || len(r.list("volume.attachments")) != attachments {
		l.t.Fatal(r.body)
	}
	return r
}

func TestAPI_ShelvedServerKeepsVolumesWithoutAttachments(t *testing.T) {
	l := newBench(t)
	s, v := l.serverAndVolume()
	l.wantServer(s, "ACTIVE", v)
	l.cloud.Shelve(s)
	l.wantServer(s, "SHELVED_OFFLOADED", v)
	l.wantVolume(v, "reserved", 0)
	l.staffeln.post(backupsPath, backupBody(v, false)).wantBody(400, `{"badRequest": {"code": 400, "message": "Invalid volume: `+
		`Volume to be backed up must be available or in-use, but the current status is \"reserved\"."}}`)
	l.cloud.Unshelve(s)
	l.wantServer(s, "ACTIVE", v)
	l.wantVolume(v, "in-use", 1)
}

func TestAPI_VolumeShelvedDuringBackupIsReservedAfterIt(t *testing.T) {
	l := newBench(t)
	s, v := l.serverAndVolume()
	b := l.staffeln.start(v, false)
	l.cloud.Shelve(s)
	l.wantVolume(v, "backing-up", 0)
	l.clock.step(3 * time.Second)
	l.staffeln.status(b, "available")
	l.wantVolume(v, "reserved", 0)
}

func TestAPI_ResizeKeepsVolumesWithoutAttachments(t *testing.T) {
	for _, status := range []string{"reserved", "attaching", "detaching"} {
		l := newBench(t)
		s, v := l.serverAndVolume()
		l.cloud.BeginResize(s, status)
		l.wantServer(s, "RESIZE", v)
		l.wantVolume(v, status, 0)
		l.cloud.EndResize(s)
		l.wantServer(s, "ACTIVE", v)
		l.wantVolume(v, "in-use", 1)
	}
}

func TestAPI_VolumeDetachedInAnyServerStateBelongsToNoServer(t *testing.T) {
	l := newBench(t)
	s, v := l.serverAndVolume()
	l.cloud.Shelve(s)
	l.cloud.Detach(s, v)
	l.wantVolume(v, "available", 0)
	if r := l.foreign.get(serversPath + "/" + s).want(200); len(r.list("server.os-extended-volumes:volumes_attached")) != 0 {
		t.Fatal(r.body)
	}
	l.cloud.Unshelve(s)
	l.wantVolume(v, "available", 0)
}

func TestAPI_ServerByIDIsVisibleToAdminsAndItsProject(t *testing.T) {
	l := newBench(t)
	s := l.cloud.AddServer(l.other, "web-1", nil)
	gone := `{"itemNotFound": {"code": 404, "message": "Instance ` + s + ` could not be found."}}`
	l.foreign.get(serversPath + "/" + s).want(200)
	l.tenant.get(serversPath+"/"+s).wantBody(404, gone)
	l.cloud.DeleteServer(s)
	l.foreign.get(serversPath+"/"+s).wantBody(404, gone)
}

func TestAPI_VolumeWithoutAttachmentsIsStillInItsServer(t *testing.T) {
	l := newBench(t)
	s, v := l.serverAndVolume()
	l.cloud.DropAttachments(v, "maintenance")
	l.wantServer(s, "ACTIVE", v)
	l.wantVolume(v, "maintenance", 0)
}
