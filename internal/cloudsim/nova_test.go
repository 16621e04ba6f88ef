package cloudsim

import (
	"testing"
)

func TestAPI_ServerHasProjectMetadataAndVolumes(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	s := l.cloud.Servers()[0].ID
	l.cloud.SetMetadata(s, "__staffeln_backup", "true")
	r := l.tenant.get("/compute/v2.1/servers/detail").want(200)
	if r.text("servers.0.tenant_id") != l.acme || r.text("servers.0.metadata.__staffeln_backup") != "true" || r.text("servers.0.status") != "ACTIVE" ||
		r.at("servers.0.links.1.href") != l.url+"/compute/servers/"+s {
		t.Fatal(r.body)
	}
	server, _ := r.list("servers")[0].(m)
	attached, _ := server["os-extended-volumes:volumes_attached"].([]any)[0].(m)
	if attached["id"] != v || len(attached) != 1 {
		t.Fatal(attached)
	}
	r = l.tenant.compute("2.92").get("/compute/v2.1/servers/" + s).want(200)
	server, _ = r.at("server").(m)
	if attached, _ = server["os-extended-volumes:volumes_attached"].([]any)[0].(m); attached["delete_on_termination"] != false {
		t.Fatal(r.body)
	}
	volume := l.tenant.get("/volume/v3/{p}/volumes/" + v).want(200)
	if volume.text("volume.attachments.0.server_id") != s || volume.text("volume.status") != "in-use" {
		t.Fatal(volume.body)
	}
	l.tenant.get("/compute/v2.1/servers/"+uuidNowhere).wantBody(404,
		`{"itemNotFound": {"code": 404, "message": "Instance 00000000-0000-4000-8000-000000000000 could not be found."}}`)
}

func TestAPI_ServersBootFromVolumesAndReleaseThem(t *testing.T) {
	l := newBench(t)
	v := l.tenant.post("/volume/v3/{p}/volumes", m{"volume": m{"size": 1, "name": "root", "metadata": m{"a": "b"}}}).want(202).text("volume.id")
	boot := m{"server": m{"name": "new", "flavorRef": "x", "metadata": m{"k": "v"}, "block_device_mapping_v2": []m{{
		"uuid": v, "source_type": "volume", "destination_type": "volume", "boot_index": 0,
	}}}}
	l.tenant.post("/compute/v2.1/servers", boot).wantBody(400, `{"badRequest": {"code": 400, "message": "Block Device `+v+` is not bootable."}}`)
	l.tenant.post("/volume/v3/{p}/volumes/"+v+"/action", m{"os-set_bootable": m{"bootable": true}}).want(200)
	s := l.tenant.post("/compute/v2.1/servers", boot).want(202).text("server.id")
	l.volumeStatus(v, "in-use")
	if r := l.tenant.get("/compute/v2.1/servers/" + s).want(200); r.text("server.status") != "ACTIVE" {
		t.Fatal(r.body)
	}
	path := "/compute/v2.1/servers/" + s + "/os-volume_attachments"
	if r := l.tenant.get(path).want(200); r.text("volumeAttachments.0.volumeId") != v {
		t.Fatal(r.body)
	}
	l.tenant.post(path, m{"volumeAttachment": m{"volumeId": v}}).wantBody(400,
		`{"badRequest": {"code": 400, "message": "Invalid volume: volume `+v+` is already attached to instances: `+s+`"}}`)
	second := l.cloud.AddVolume(l.acme, "second", 1)
	if r := l.tenant.post(path, m{"volumeAttachment": m{"volumeId": second}}).want(200); r.text("volumeAttachment.device") != "/dev/sdb" {
		t.Fatal(r.body)
	}
	l.tenant.delete("/volume/v3/{p}/volumes/" + second).want(400)
	l.tenant.delete(path + "/" + second).want(202)
	l.volumeStatus(second, "available")
	l.tenant.delete(path+"/"+second).wantBody(404,
		`{"itemNotFound": {"code": 404, "message": "Instance `+s+` is not attached to volume `+second+`"}}`)
	l.tenant.delete("/compute/v2.1/servers/" + s).want(204)
	l.tenant.get("/compute/v2.1/servers/" + s).want(404)
	l.volumeStatus(v, "available")
}

func TestAPI_MetadataOfServersOverHTTP(t *testing.T) {
	l := newBench(t)
	path := "/compute/v2.1/servers/" + l.cloud.AddServer(l.acme, "s", map[string]string{"a": "b"}) + "/metadata"
	if r := l.tenant.do("PUT", path, m{"metadata": m{"x": "y"}}).want(200); r.at("metadata.a") != nil {
		t.Fatal("PUT replaces: " + r.body)
	}
	if r := l.tenant.post(path, m{"metadata": m{"z": "1"}}).want(200); r.text("metadata.x") != "y" {
		t.Fatal("POST adds: " + r.body)
	}
	l.tenant.do("PUT", path+"/q", m{"meta": m{"q": "2"}}).want(200)
	if r := l.tenant.get(path + "/q").want(200); r.text("meta.q") != "2" {
		t.Fatal(r.body)
	}
	l.tenant.delete(path + "/q").want(204)
	l.tenant.delete(path+"/q").wantBody(404, `{"itemNotFound": {"code": 404, "message": "Metadata item was not found"}}`)
	l.tenant.get(path + "/q").want(404)
	if r := l.tenant.get(path).want(200); r.text("metadata.z") != "1" {
		t.Fatal(r.body)
	}
}

func TestAPI_ExtendingAVolume(t *testing.T) {
	l := newBench(t)
	v := l.cloud.AddVolume(l.acme, "v", 1)
	path := "/volume/v3/{p}/volumes/" + v + "/action"
	l.tenant.post(path, m{"os-extend": m{"new_size": 2}}).want(202)
	l.tenant.post(path, m{"os-extend": m{"new_size": 1}}).wantBody(400,
		`{"badRequest": {"code": 400, "message": "Invalid input received: New size for extend must be greater than current size. (current: 2, extended: 1)."}}`)
	inUse := l.attached(1)
	l.tenant.post("/volume/v3/{p}/volumes/"+inUse+"/action", m{"os-extend": m{"new_size": 2}}).wantBody(400,
		`{"badRequest": {"code": 400, "message": "Invalid volume: Volume `+inUse+` status must be '{'status': 'available'}' to extend, currently in-use."}}`)
}

func TestAPI_MultiattachVolumeHasSeveralServers(t *testing.T) {
	l := newBench(t)
	v := l.attached(1, VolumeOptions{Multiattach: true})
	s := l.cloud.AddServer(l.acme, "web-2", nil)
	l.tenant.post("/compute/v2.1/servers/"+s+"/os-volume_attachments", m{"volumeAttachment": m{"volumeId": v}}).want(200)
	r := l.tenant.get("/volume/v3/{p}/volumes/" + v).want(200)
	if len(r.list("volume.attachments")) != 2 || r.at("volume.multiattach") != true {
		t.Fatal(r.body)
	}
	l.cloud.DeleteServer(s)
	l.volumeStatus(v, "in-use")
}
