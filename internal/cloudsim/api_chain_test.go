package cloudsim

import (
	"testing"
	"time"
)

const (
	haveDependents = `{"badRequest": {"code": 400, "message": "Invalid backup: Incremental backups exist for this backup."}}`
	badStatus      = `{"badRequest": {"code": 400, "message": "Invalid backup: Backup status must be available or error"}}`
	parentNotReady = `{"badRequest": {"code": 400, "message": "Invalid backup: The parent backup must be available for incremental backup."}}`
	noParent       = `{"badRequest": {"code": 400, "message": "Invalid backup: No backups available to do an incremental backup."}}`
)

func TestAPI_ParentIsNewestByDataTimestampOfTokensProject(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	l.staffeln.full(v)
	mine := l.tenant.full(v) // of another user
	foreign := l.foreign.full(v)
	if b, _ := l.cloud.Backup(foreign); b.Project != l.cloud.Cast().AdminProject {
		t.Fatalf("a backup belongs to the token's project, not to %s", b.Project)
	}
	id := l.staffeln.inc(v)
	if b, _ := l.cloud.Backup(id); b.Parent != mine {
		t.Fatalf("parent %s, want %s", b.Parent, mine)
	}
	r := l.staffeln.status(id, "available")
	if r.at("backup.is_incremental") != true || r.at("backup.parent_id") != nil {
		t.Fatal("the parent is shown: " + r.body)
	}
	if l.staffeln.status(mine, "available").at("backup.has_dependent_backups") != true {
		t.Fatal("the parent has no dependents")
	}
}

func TestAPI_FullOfAnotherProjectIsNoParent(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	l.staffeln.full(v)
	l.foreign.post(backupsPath, backupBody(v, true)).wantBody(400, noParent)
}

func TestAPI_FailedNewestBackupBlocksIncrementals(t *testing.T) {
	for _, cure := range []string{"delete", "full"} {
		t.Run(cure, func(t *testing.T) {
			l := newBench(t)
			v := l.attached(1)
			l.staffeln.full(v)
			l.cloud.BreakTarget("no space left")
			bad := l.staffeln.start(v, true)
			l.clock.step(3 * time.Second)
			l.cloud.BreakTarget("")
			if l.staffeln.status(bad, "error").at("backup.is_incremental") != true {
				t.Fatal("want an incremental")
			}
			l.staffeln.post(backupsPath, backupBody(v, true)).wantBody(400, parentNotReady)
			if cure == "delete" {
				l.staffeln.delete(backupsPath + "/" + bad).want(202)
				l.clock.step(3 * time.Second)
			} else {
				l.staffeln.full(v)
			}
			l.staffeln.inc(v)
		})
	}
}

func TestAPI_ParentWithChildInAnyStatusCannotBeDeleted(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	full := l.staffeln.full(v)
	child := l.staffeln.start(v, true)
	path := backupsPath + "/" + full
	l.staffeln.delete(path).wantBody(400, haveDependents)
	l.staffeln.delete(backupsPath+"/"+child).wantBody(400, badStatus)
	l.clock.step(3 * time.Second)
	l.tenant.delete(path).wantBody(400, haveDependents)
	l.staffeln.post(path+"/action", m{"os-force_delete": m{}}).wantBody(400, haveDependents)
	l.staffeln.delete(backupsPath + "/" + child).want(202)
	l.staffeln.delete(path).wantBody(400, haveDependents)
	l.staffeln.delete(backupsPath+"/"+child).wantBody(400, badStatus)
	l.clock.step(time.Second)
	l.staffeln.get(backupsPath+"/"+child).wantBody(404, `{"itemNotFound": {"code": 404, "message": "Backup `+child+` could not be found."}}`)
	l.staffeln.delete(path).want(202)
	l.clock.step(time.Second)
	l.staffeln.delete(path).wantBody(404, `{"itemNotFound": {"code": 404, "message": "Backup `+full+` could not be found."}}`)
	if l.happened(ChainDestroyed, "") != 0 {
		t.Fatal("a chain was destroyed")
	}
}

func TestAPI_DeletionWithTokenOfAnotherProjectDestroysTheChain(t *testing.T) {
	for _, force := range []bool{false, true} {
		l := newBench(t)
		v := l.attached(1)
		full := l.staffeln.full(v)
		child := l.staffeln.inc(v)
		grandchild := l.staffeln.inc(v)
		if force {
			l.foreign.post(backupsPath+"/"+full+"/action", m{"os-force_delete": m{}}).want(202)
		} else {
			l.foreign.delete(backupsPath + "/" + full).want(202)
		}
		if l.happened(ForeignDeletion, full) != 1 {
			t.Fatal("no event of the foreign deletion in the journal")
		}
		l.clock.step(time.Second)
		l.staffeln.status(child, "available") // as if the chain were intact
		for _, id := range []string{child, grandchild} {
			if l.happened(ChainDestroyed, id) != 1 {
				t.Fatalf("no event for %s in the journal", id)
			}
			if b, _ := l.cloud.Backup(id); b.Restorable {
				t.Fatal("restorable without its parent")
			}
		}
		r := l.tenant.post(backupsPath+"/"+child+"/restore", m{"restore": m{"name": "r"}}).want(202)
		l.clock.step(3 * time.Second)
		l.volumeStatus(r.text("restore.volume_id"), "error_restoring")
		l.staffeln.status(child, "available")
	}
}

func TestAPI_AdminMayReadAndDeleteBackupsOfAnyProject(t *testing.T) {
	l := newBench(t)
	v := l.attached(3)
	id := l.staffeln.full(v)
	used := func() any {
		return l.foreign.get("/volume/v3/{p}/os-quota-sets/" + l.acme + "?usage=True").want(200).at("quota_set.backup_gigabytes.in_use")
	}
	if used() != 3.0 {
		t.Fatal(used())
	}
	l.cloud.DeleteProject(l.acme)
	l.foreign.get(backupsPath + "/" + id).want(200)
	l.foreign.delete(backupsPath + "/" + id).want(202)
	l.clock.step(time.Second)
	l.foreign.get(backupsPath + "/" + id).want(404)
	if used() != 0.0 {
		t.Fatal(used())
	}
}

func TestAPI_TenantSeesOnlyBackupsOfItsProject(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	id := l.foreign.full(v)
	l.tenant.get(backupsPath + "/" + id).want(404)
	l.tenant.delete(backupsPath + "/" + id).want(404)
	l.tenant.post(backupsPath+"/"+id+"/restore", m{"restore": m{}}).want(404)
	globex := l.cloud.AddVolume(l.other, "theirs", 1)
	l.tenant.post(backupsPath, backupBody(globex, false)).want(404)
	foreignVolume := l.staffeln.full(globex)
	if b, _ := l.cloud.Backup(foreignVolume); b.Project != l.acme {
		t.Fatalf("owner %s, want the token's project", b.Project)
	}
}

func TestAPI_DependentsCounterCountsChildrenThatBecameAvailable(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	full := l.staffeln.full(v)
	l.staffeln.start(v, true)
	if l.staffeln.status(full, "available").at("backup.has_dependent_backups") != false {
		t.Fatal("a child in creating was counted")
	}
	l.clock.step(3 * time.Second)
	if l.staffeln.status(full, "available").at("backup.has_dependent_backups") != true {
		t.Fatal("a child in available was not counted")
	}
}

func TestAPI_RestoredVolumeHasTheContentOfTheBackup(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	var ids []string
	var contents []int
	for n := range 3 {
		contents = append(contents, l.cloud.WriteVolume(v))
		ids = append(ids, l.staffeln.backup(v, n > 0))
	}
	l.cloud.WriteVolume(v)
	for n, id := range ids {
		r := l.tenant.post(backupsPath+"/"+id+"/restore", m{"restore": m{}}).want(202)
		l.staffeln.status(id, "restoring")
		l.volumeStatus(r.text("restore.volume_id"), "restoring-backup")
		l.clock.step(3 * time.Second)
		if got, _ := l.cloud.Volume(r.text("restore.volume_id")); got.Content != contents[n] || got.Metadata["src_backup_id"] != id {
			t.Fatalf("restored %+v, want content %d", got, contents[n])
		}
	}
}

func TestAPI_BackupBeingRestoredCannotBeDeleted(t *testing.T) {
	l := newBench(t)
	id := l.staffeln.full(l.attached(1))
	l.staffeln.post(backupsPath+"/"+id+"/restore", m{"restore": m{}}).want(202)
	l.staffeln.delete(backupsPath+"/"+id).wantBody(400, badStatus)
	l.staffeln.post(backupsPath+"/"+id+"/restore", m{"restore": m{}}).wantBody(400,
		`{"badRequest": {"code": 400, "message": "Invalid backup: Backup status must be available"}}`)
}
