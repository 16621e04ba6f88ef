package cloudsim

import (
	"testing"
	"time"
)

func TestAPI_ServerInDownCellIsSilentlyMissingInLists(t *testing.T) {
	l := newBench(t)
	s, v := l.serverAndVolume()
	l.cloud.HideServer(s)
	if r := l.foreign.get(allServers).want(200); len(r.list("servers")) != 0 {
		t.Fatal(r.body)
	}
	if r := l.foreign.get(serversPath + "/" + s).want(200); r.text("server.status") != "ACTIVE" {
		t.Fatal(r.body)
	}
	l.wantVolume(v, "in-use", 1)
	l.cloud.ShowServer(s)
	l.wantServer(s, "ACTIVE", v)
}

func TestAPI_ServerInDownCellMayFailByID(t *testing.T) {
	l := newBench(t)
	s, _ := l.serverAndVolume()
	l.cloud.HideServer(s, HiddenFails)
	l.foreign.get(serversPath + "/" + s).want(500)
	l.foreign.get(serversPath + "/" + uuidNowhere).want(404)
}

func TestAPI_ServerInDownCellIsPartialFromMicroversion269(t *testing.T) {
	l := newBench(t)
	s, _ := l.serverAndVolume()
	l.cloud.HideServer(s, HiddenPartial)
	l.foreign.get(serversPath + "/" + s).want(500)
	newer := l.foreign.compute("2.69")
	r := newer.get(serversPath + "/" + s).want(200)
	if r.text("server.status") != "UNKNOWN" || r.at("server.metadata") != nil || r.text("server.tenant_id") != l.acme {
		t.Fatal(r.body)
	}
	if r := newer.get(serversPath + "/detail?all_tenants=1").want(200); r.text("servers.0.status") != "UNKNOWN" {
		t.Fatal(r.body)
	}
	if r := newer.get(allServers).want(200); len(r.list("servers")) != 0 {
		t.Fatal("want no server in a list with a limit: " + r.body)
	}
}

func TestAPI_SoftDeletedServerIsReadableByIDOnlyAndKeepsItsVolumes(t *testing.T) {
	l := newBench(t)
	s, v := l.serverAndVolume()
	l.cloud.SoftDelete(s)
	if r := l.foreign.get(allServers).want(200); len(r.list("servers")) != 0 {
		t.Fatal(r.body)
	}
	if r := l.foreign.get(allServers + "&deleted=true").want(200); len(r.list("servers")) != 1 {
		t.Fatal("want one server: " + r.body)
	}
	if r := l.foreign.get(serversPath + "/" + s).want(200); r.text("server.status") != "SOFT_DELETED" || r.text("server.OS-EXT-STS:vm_state") != "soft-delete" {
		t.Fatal(r.body)
	}
	l.wantVolume(v, "in-use", 1)
	l.cloud.Restore(s)
	l.wantServer(s, "ACTIVE", v)
	l.cloud.SoftDelete(s)
	l.cloud.Reclaim(s)
	l.foreign.get(serversPath + "/" + s).want(404)
	l.wantVolume(v, "available", 0)
}

func TestAPI_CinderSkewChangesOnlyCindersTimestamps(t *testing.T) {
	l := newBench(t)
	_, v := l.serverAndVolume()
	l.cloud.SetCinderSkew(400 * 24 * time.Hour)
	ahead := l.staffeln.full(v)
	l.cloud.SetCinderSkew(-60 * 24 * time.Hour)
	behind := l.staffeln.full(v)
	l.cloud.SetCinderSkew(0)
	for id, want := range map[string]string{ahead: "2027-12-27T06:27:00.000000", behind: "2026-09-23T06:27:03.000000"} {
		r := l.staffeln.status(id, "available")
		if r.text("backup.created_at") != want || r.text("backup.data_timestamp") != want {
			t.Fatal(r.body)
		}
	}
	inc := l.staffeln.inc(v)
	if b, _ := l.cloud.Backup(inc); b.Parent != ahead {
		t.Fatalf("parent %s, want the newest by Cinder's timestamps", b.Parent)
	}
}
