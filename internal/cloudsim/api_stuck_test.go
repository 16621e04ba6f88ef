package cloudsim

import (
	"testing"
	"time"
)

func TestAPI_DeletionWithoutBackupServiceIsA404AndKeepsTheBackup(t *testing.T) {
	l := newBench(t)
	id := l.staffeln.full(l.attached(1))
	l.cloud.SetBackupService(false)
	gone := `{"itemNotFound": {"code": 404, "message": "Service cinder-backup could not be found."}}`
	l.staffeln.delete(backupsPath+"/"+id).wantBody(404, gone)
	l.staffeln.post(backupsPath+"/"+id+"/action", m{"os-reset_status": m{"status": "error"}}).wantBody(404, gone)
	l.staffeln.status(id, "available")
	r := l.staffeln.get("/volume/v3/{p}/os-services?binary=cinder-backup").want(200)
	if r.text("services.0.state") != "down" || r.text("services.0.binary") != "cinder-backup" || len(r.list("services")) != 1 {
		t.Fatal(r.body)
	}
	l.tenant.get("/volume/v3/{p}/os-services").wantBody(403,
		`{"forbidden": {"code": 403, "message": "Policy doesn't allow volume_extension:services:index to be performed."}}`)
}

func TestAPI_CreationWithoutBackupServiceWaitsAndFailsAtItsStart(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	l.cloud.SetBackupService(false)
	id := l.staffeln.start(v, false)
	l.clock.step(50 * time.Minute)
	l.staffeln.status(id, "creating")
	l.volumeStatus(v, "backing-up")
	l.cloud.SetBackupService(true)
	r := l.staffeln.status(id, "error")
	if r.text("backup.fail_reason") != "Create backup aborted, expected volume status backing-up but got in-use." {
		t.Fatal(r.body)
	}
	l.volumeStatus(v, "in-use")
}

func TestAPI_RestartFailsCreationsAndResumesDeletions(t *testing.T) {
	l := newBench(t)
	v, w := l.attached(1), l.attached(1)
	old := l.staffeln.full(w)
	id := l.staffeln.start(v, false)
	l.staffeln.delete(backupsPath + "/" + old).want(202)
	restored := l.staffeln.full(w)
	l.staffeln.post(backupsPath+"/"+restored+"/restore", m{"restore": m{}}).want(202)
	id2 := l.staffeln.start(v, false)
	l.staffeln.status(id, "available")
	l.cloud.RestartBackupService()
	if r := l.staffeln.status(id2, "error"); r.text("backup.fail_reason") != "incomplete backup reset on manager restart" {
		t.Fatal(r.body)
	}
	l.volumeStatus(v, "in-use")
	for _, v := range l.cloud.Volumes() {
		if v.Temporary {
			t.Fatal("the temporary volume outlived the restart")
		}
	}
	l.staffeln.status(restored, "available")
	dying := restored
	l.staffeln.delete(backupsPath + "/" + dying).want(202)
	l.cloud.StickBackup(dying)
	l.clock.step(5 * time.Minute)
	l.staffeln.status(dying, "deleting")
	l.cloud.RestartBackupService()
	l.staffeln.status(dying, "deleting")
	l.clock.step(time.Second)
	l.staffeln.get(backupsPath + "/" + dying).want(404)
}

func TestAPI_OnlyAdminsCanResetStuckBackups(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	remove := l.cloud.AddFault(Fault{Route: "POST /volume/v3/{project}/backups", Do: Stick{}})
	id := l.staffeln.start(v, false)
	remove()
	l.clock.step(50 * time.Minute)
	path := backupsPath + "/" + id
	l.staffeln.status(id, "creating")
	l.tenant.post(path+"/action", m{"os-reset_status": m{"status": "error"}}).wantBody(403,
		`{"forbidden": {"code": 403, "message": "Policy doesn't allow volume_extension:backup_admin_actions:reset_status to be performed."}}`)
	l.tenant.post(path+"/action", m{"os-force_delete": m{}}).wantBody(403,
		`{"forbidden": {"code": 403, "message": "Policy doesn't allow volume_extension:backup_admin_actions:force_delete to be performed."}}`)
	l.staffeln.post(path+"/action", m{"os-reset_status": m{"status": "creating"}}).wantBody(400,
		`{"badRequest": {"code": 400, "message": "Backup status: creating is invalid, valid statuses are: ['available', 'error']."}}`)
	l.staffeln.post(path+"/action", m{"os-bogus": m{}}).wantBody(400,
		`{"badRequest": {"code": 400, "message": "There is no such action: os-bogus. Verify the request body and Content-Type header and try again."}}`)
	l.staffeln.post(path+"/action", m{"os-reset_status": m{"status": "error"}}).want(202)
	l.staffeln.delete(path).want(202)
	l.clock.step(time.Second)
	l.staffeln.get(path).want(404)
	l.volumeStatus(v, "backing-up")
	l.tenant.post("/volume/v3/{p}/volumes/"+v+"/action", m{"os-reset_status": m{"status": "in-use"}}).want(403)
	l.staffeln.post("/volume/v3/{p}/volumes/"+v+"/action", m{"os-reset_status": m{"status": "in-use"}}).want(202)
	l.volumeStatus(v, "in-use")
}

func TestAPI_ForceDeleteOfCreationRestoresVolumeStatusWhenTheRunEnds(t *testing.T) {
	l := newBench(t, func(o *Options) { o.BackupTime = Fixed(time.Minute) })
	v := l.attached(1)
	id := l.staffeln.start(v, false)
	l.staffeln.post(backupsPath+"/"+id+"/action", m{"os-force_delete": m{}}).want(202)
	l.staffeln.status(id, "deleting")
	l.clock.step(time.Second)
	l.staffeln.get(backupsPath + "/" + id).want(404)
	l.volumeStatus(v, "backing-up")
	l.clock.step(time.Minute)
	l.volumeStatus(v, "in-use")
}

func TestAPI_ResetCreationStillBecomesAvailable(t *testing.T) {
	l := newBench(t)
	id := l.staffeln.start(l.attached(1), false)
	l.staffeln.post(backupsPath+"/"+id+"/action", m{"os-reset_status": m{"status": "error"}}).want(202)
	l.staffeln.status(id, "error")
	l.clock.step(2 * time.Second)
	l.staffeln.status(id, "available")
}

func TestAPI_VolumeCannotBeAttachedDetachedOrDeletedDuringBackup(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	s := l.cloud.Servers()[0].ID
	l.staffeln.start(v, false)
	l.tenant.delete("/compute/v2.1/servers/" + s + "/os-volume_attachments/" + v).want(400)
	l.tenant.delete("/volume/v3/{p}/volumes/" + v).want(400)
	loose := l.cloud.AddVolume(l.acme, "loose", 1)
	l.staffeln.start(loose, false)
	l.tenant.post("/compute/v2.1/servers/"+s+"/os-volume_attachments", m{"volumeAttachment": m{"volumeId": loose}}).want(400)
	l.clock.step(3 * time.Second)
	l.tenant.post("/compute/v2.1/servers/"+s+"/os-volume_attachments", m{"volumeAttachment": m{"volumeId": loose}}).want(200)
}
