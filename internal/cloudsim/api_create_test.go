package cloudsim

import (
	"strings"
	"testing"
	"time"
)

const uuidNowhere = "00000000-0000-4000-8000-000000000000"

func TestAPI_InUseVolumeIsBackingUpUntilSlightlyBeforeTheBackupEnds(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	r := l.staffeln.post(backupsPath, backupBody(v, false)).want(202)
	id := r.text("backup.id")
	if r.text("backup.name") != "b" || len(r.list("backup.links")) != 2 {
		t.Fatalf("want id, name and links: %s", r.body)
	}
	l.volumeStatus(v, "backing-up")
	show := l.staffeln.status(id, "creating")
	if show.text("backup.created_at") != "2026-11-22T06:27:00.000000" || show.text("backup.data_timestamp") != show.text("backup.created_at") {
		t.Fatal("want UTC without zone, in whole seconds: " + show.body)
	}
	l.clock.step(1950 * time.Millisecond)
	l.volumeStatus(v, "in-use")
	l.staffeln.status(id, "creating")
	l.clock.step(50 * time.Millisecond)
	l.staffeln.status(id, "available")
}

func TestAPI_TemporaryVolumeIsListedDuringBackupOfInUseVolume(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	unattached := l.cloud.AddVolume(l.acme, "unattached", 1)
	named := func() int {
		return len(l.staffeln.get("/volume/v3/{p}/volumes/detail?name=backup-vol-" + v).want(200).list("volumes"))
	}
	l.staffeln.start(v, false)
	l.staffeln.start(unattached, false)
	r := l.staffeln.get("/volume/v3/{p}/volumes/detail?name=backup-vol-" + v).want(200)
	if r.text("volumes.0.status") != "backing-up" || len(r.list("volumes.0.attachments")) != 0 {
		t.Fatal("temporary volume: " + r.body)
	}
	if n := len(l.staffeln.get("/volume/v3/{p}/volumes").want(200).list("volumes")); n != 3 {
		t.Fatalf("%d volumes, want two and one temporary: an unattached volume needs none", n)
	}
	l.clock.step(2 * time.Second)
	if named() != 0 {
		t.Fatal("the temporary volume outlived the backup")
	}
	l.volumeStatus(unattached, "available")
}

func TestAPI_RefusedCreations(t *testing.T) {
	for name, tc := range map[string]struct {
		body   any
		status int
		want   string
	}{
		"in-use without force": {
			m{"backup": m{"volume_id": "VOLUME"}},
			400,
			`{"badRequest": {"code": 400, "message": "Invalid volume: Backing up an in-use volume must use the force flag."}}`,
		},
		"incremental without any backup": {
			backupBody("VOLUME", true), 400,
			`{"badRequest": {"code": 400, "message": "Invalid backup: No backups available to do an incremental backup."}}`,
		},
		"no such volume": {
			backupBody(uuidNowhere, false), 404,
			`{"itemNotFound": {"code": 404, "message": "Volume 00000000-0000-4000-8000-000000000000 could not be found."}}`,
		},
		"bad uuid": {
			backupBody("not-a-uuid", false), 400,
			`{"badRequest": {"code": 400, "message": "Invalid input for field/attribute volume_id. Value: not-a-uuid. 'not-a-uuid' is not a 'uuid'"}}`,
		},
		"metadata before 3.43": {
			`{"backup": {"volume_id": "c180b8d5f28b44e9885adc6bc97407a2", "name": "x", "metadata": {}}}`, 400,
			`{"badRequest": {"code": 400, "message": "Invalid input for field/attribute backup. Value: {'volume_id': 'c180b8d5f28b44e9885adc6bc97407a2', 'name': 'x', 'metadata': {}}. Additional properties are not allowed ('metadata' was unexpected)"}}`,
		},
		"volume missing": {
			`{"backup": {"name": "x"}}`, 400,
			`{"badRequest": {"code": 400, "message": "Invalid input for field/attribute backup. Value: {'name': 'x'}. 'volume_id' is a required property"}}`,
		},
		"no envelope": {
			`{"x": {}}`, 400,
			`{"badRequest": {"code": 400, "message": "'backup' is a required property"}}`,
		},
		"name of 256": {
			m{"backup": m{"volume_id": "VOLUME", "force": true, "name": strings.Repeat("x", 256)}},
			400,
			`{"badRequest": {"code": 400, "message": "Invalid input for field/attribute name. Value: ` + strings.Repeat("x", 256) + `. '` + strings.Repeat("x", 256) + `' is too long"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newBench(t)
			v := l.attached(1)
			if in, isMap := tc.body.(m); isMap {
				if b, _ := in["backup"].(m); b["volume_id"] == "VOLUME" {
					b["volume_id"] = v
				}
			}
			l.staffeln.post(backupsPath, tc.body).wantBody(tc.status, tc.want)
			l.volumeStatus(v, "in-use")
		})
	}
}

func TestAPI_VolumeInOtherStatusIsRefused(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	l.staffeln.start(v, false)
	l.staffeln.post(backupsPath, backupBody(v, false)).wantBody(400,
		`{"badRequest": {"code": 400, "message": "Invalid volume: Volume to be backed up must be available or in-use, but the current status is \"backing-up\"."}}`)
	l.cloud.SetVolumeStatus(v, "error")
	l.staffeln.post(backupsPath, backupBody(v, false)).want(400)
}

func TestAPI_NamesMayRepeatAndHave255Runes(t *testing.T) {
	l := newBench(t)
	for range 2 {
		v := l.attached(1)
		l.staffeln.post(backupsPath, m{"backup": m{"volume_id": v, "force": true, "name": strings.Repeat("ü", 255)}}).want(202)
	}
}

func TestAPI_SimultaneousCreationsAreBothAccepted(t *testing.T) {
	l := newBench(t, func(o *Options) { o.RaceTwoPosts = true })
	v := l.attached(1)
	first, second := l.staffeln.start(v, false), l.staffeln.start(v, false)
	l.clock.step(2 * time.Second)
	l.staffeln.status(first, "available")
	l.staffeln.status(second, "available")
	l.volumeStatus(v, "in-use")
	l.staffeln.start(v, false)
	l.clock.step(time.Second)
	l.staffeln.post(backupsPath, backupBody(v, false)).want(400) // no longer simultaneous
	l.cloud.SetRaceTwoPosts(false)
}

func TestAPI_IncrementalOfExtendedVolumeIsAcceptedAndFails(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	l.staffeln.full(v)
	l.cloud.Extend(v, 2)
	id := l.staffeln.start(v, true)
	l.clock.step(3 * time.Second)
	r := l.staffeln.status(id, "error")
	if r.text("backup.fail_reason") != "Invalid backup: Volume size increased since the last backup. Do a full backup." {
		t.Fatal(r.body)
	}
	l.volumeStatus(v, "in-use")
	l.staffeln.full(v)
}

func TestAPI_BrokenTargetEndsInErrorWithReasonAndMessage(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	l.cloud.BreakTarget("[Errno 20] Not a directory: 'BACKUPS/32'")
	id := l.staffeln.start(v, false)
	l.clock.step(3 * time.Second)
	if r := l.staffeln.status(id, "error"); r.text("backup.fail_reason") != "[Errno 20] Not a directory: 'BACKUPS/32'" {
		t.Fatal(r.body)
	}
	l.volumeStatus(v, "in-use")
	r := l.staffeln.at("3.70").get("/volume/v3/{p}/messages").want(200)
	if r.text("messages.0.event_id") != "VOLUME_VOLUME_BACKUP_013_020" ||
		r.text("messages.0.user_message") != "create backup:Backup driver failed to create backup." || r.text("messages.0.resource_uuid") != id {
		t.Fatal(r.body)
	}
	r = l.staffeln.get("/volume/v3/{p}/os-quota-sets/{p}?usage=True").want(200)
	if r.at("quota_set.backups.in_use") != 1.0 {
		t.Fatal("a failed backup must be charged until it is deleted: " + r.body)
	}
	l.staffeln.delete(backupsPath + "/" + id).want(202)
	l.clock.step(time.Second)
	if r = l.staffeln.get("/volume/v3/{p}/os-quota-sets/{p}?usage=True"); r.at("quota_set.backups.in_use") != 0.0 {
		t.Fatal(r.body)
	}
}

func TestAPI_BackupOutlivesItsVolume(t *testing.T) {
	l := newBench(t)
	v := l.cloud.AddVolume(l.acme, "unattached", 1)
	id := l.staffeln.full(v)
	l.tenant.delete("/volume/v3/{p}/volumes/" + v).want(202)
	l.tenant.get("/volume/v3/{p}/volumes/"+v).wantBody(404, `{"itemNotFound": {"code": 404, "message": "Volume `+v+` could not be found."}}`)
	l.staffeln.status(id, "available")
	r := l.tenant.post(backupsPath+"/"+id+"/restore", m{"restore": m{}}).want(202)
	if r.text("restore.backup_id") != id || r.text("restore.volume_name") != "restore_backup_"+id {
		t.Fatal(r.body)
	}
	l.clock.step(3 * time.Second)
	l.volumeStatus(r.text("restore.volume_id"), "available")
}
