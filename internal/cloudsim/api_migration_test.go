package cloudsim

import (
	"testing"
	"time"
)

func TestAPI_MigrationHasASecondVolumeWithTheSameNameAndServer(t *testing.T) {
	l := newBench(t)
	s, v := l.serverAndVolume()
	if r := l.wantVolume(v, "in-use", 1); r.at("volume.migration_status") != nil {
		t.Fatal(r.body)
	}
	target := l.cloud.BeginMigration(v)
	for _, step := range []string{"starting", "migrating", "completing"} {
		l.cloud.SetMigrationStatus(v, step)
		r := l.wantVolume(v, "in-use", 1)
		if r.text("volume.migration_status") != step || r.text("volume.os-vol-mig-status-attr:migstat") != step {
			t.Fatal(r.body)
		}
	}
	r := l.wantVolume(target, "in-use", 1)
	if r.text("volume.name") != "data" || r.text("volume.migration_status") != "target:"+v || r.text("volume.attachments.0.server_id") != s {
		t.Fatal(r.body)
	}
	if all := l.foreign.get(volumesPath + "/detail?all_tenants=1").want(200); len(all.list("volumes")) != 2 {
		t.Fatal(all.body)
	}
	if own := l.tenant.get(volumesPath + "/detail").want(200); len(own.list("volumes")) != 1 || own.at("volumes.0.migration_status") != nil {
		t.Fatal("a tenant must see neither target nor migration_status: " + own.body)
	}
	l.wantServer(s, "ACTIVE", v)
	l.cloud.EndMigration(v, true)
	l.foreign.get(volumesPath + "/" + target).want(404)
	if r := l.wantVolume(v, "in-use", 1); r.text("volume.migration_status") != "success" {
		t.Fatal(r.body)
	}
}

func TestAPI_RetypeWithMigration(t *testing.T) {
	l := newBench(t)
	s, v := l.serverAndVolume()
	l.cloud.BeginRetype(v, true)
	if r := l.wantVolume(v, "retyping", 1); r.text("volume.migration_status") != "starting" {
		t.Fatal(r.body)
	}
	l.wantServer(s, "ACTIVE", v)
	l.cloud.EndRetype(v)
	l.wantVolume(v, "in-use", 1)
	l.cloud.BeginRetype(v, false)
	l.wantVolume(v, "retyping", 1)
	l.cloud.EndRetype(v)
	l.wantVolume(v, "in-use", 1)
}

func TestAPI_PurgedProjectLeavesNothing(t *testing.T) {
	l := newBench(t)
	s, v := l.serverAndVolume()
	full := l.staffeln.full(v)
	l.staffeln.inc(v)
	running := l.staffeln.start(v, true)
	l.cloud.PurgeProject(l.acme)
	l.clock.step(time.Minute)
	for path, id := range map[string]string{backupsPath: full, volumesPath: v, serversPath: s, "/identity/v3/projects": l.acme} {
		l.foreign.get(path + "/" + id).want(404)
	}
	l.foreign.get(backupsPath + "/" + running).want(404)
	if len(l.cloud.Volumes()) != 0 || len(l.cloud.Backups()) != 0 {
		t.Fatal("volumes or backups remain")
	}
}
