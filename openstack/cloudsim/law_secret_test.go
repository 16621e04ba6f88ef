package cloudsim

import (
	"strings"
	"testing"
	"time"
)

var encrypted = VolumeOptions{Encrypted: true}

func TestLaw_RightsToSecretsDecideOverEncryptedBackups(t *testing.T) {
	for name, tc := range map[string]struct {
		roles   []string
		foreign bool
		newer   bool
		good    bool
	}{
		"inherited admin in the project": {roles: []string{"admin"}, good: true},
		"member and creator":             {roles: []string{"member", "creator"}, good: true},
		"member":                         {roles: []string{"member"}},
		"member with newer defaults":     {roles: []string{"member"}, newer: true, good: true},
		"admin of the admin project":     {roles: []string{"admin"}, foreign: true},
		"admin elsewhere, newer":         {roles: []string{"admin"}, foreign: true, newer: true},
	} {
		t.Run(name, func(t *testing.T) {
			l := newBench(t, func(o *Options) { o.SecretNewDefaults = tc.newer })
			u, p := l.cloud.AddUser("carol", "carol", ""), l.acme
			if tc.foreign {
				p = l.cloud.Cast().AdminProject
			}
			for _, r := range tc.roles {
				l.cloud.Grant(u, p, r)
			}
			v := l.attached(1, encrypted)
			victim := l.staffeln.full(v)
			c := l.login("carol", "carol", p)
			id := c.start(v, false)
			l.clock.step(3 * time.Second)
			b, _ := l.cloud.Backup(id)
			switch {
			case tc.good && b.Status != "available":
				t.Fatalf("%+v", b)
			case !tc.good && (b.Status != "error" || b.FailReason != secretForbidden || b.Encrypted || b.Project != p):
				t.Fatalf("%+v", b)
			}
			l.volumeStatus(v, "in-use")
			c.delete(backupsPath + "/" + id).want(202) // one that never got a key goes in any case
			l.clock.step(time.Second)
			c.get(backupsPath + "/" + id).want(404)
			c.delete(backupsPath + "/" + victim).want(202)
			l.clock.step(30 * time.Minute)
			b, there := l.cloud.Backup(victim)
			if there == tc.good || there && (b.Status != "deleting" || b.FailReason != "") {
				t.Fatalf("there: %v, %+v", there, b)
			}
		})
	}
}

func TestLaw_AHangingDeletionAndItsCure(t *testing.T) {
	l := newBench(t)
	v := l.attached(1, encrypted)
	l.staffeln.full(v)
	id := l.staffeln.full(v)
	path := backupsPath + "/" + id
	l.tenant.delete(path).want(202)
	l.clock.step(10 * time.Minute)
	l.staffeln.delete(path).wantBody(400, badStatus)
	l.staffeln.post(backupsPath, backupBody(v, true)).wantBody(400, parentNotReady)
	if r := l.staffeln.get("/volume/v3/{p}/os-quota-sets/{p}?usage=True"); r.at("quota_set.backups.in_use") != 2.0 {
		t.Fatal("its quota is still charged: " + r.body)
	}
	if l.happened(BackupHangs, id) != 1 {
		t.Fatal("the journal does not tell")
	}
	l.staffeln.full(v) // a full works, and incrementals after it
	l.staffeln.inc(v)
	l.foreign.post(path+"/action", m{"os-force_delete": m{}}).want(202)
	l.clock.step(time.Minute)
	l.staffeln.status(id, "deleting")
	l.staffeln.post(path+"/action", m{"os-force_delete": m{}}).want(202)
	l.clock.step(time.Minute)
	l.staffeln.get(path).want(404)
	if l.happened(SecretGone, id) != 1 {
		t.Fatal("the backup's own secret goes with it")
	}
}

func TestLaw_ATokenThatExpiresBeforeTheKeysTurnHangsTheDeletion(t *testing.T) {
	l := newBench(t, func(o *Options) {
		o.TokenLife = 20 * time.Second
		o.DeleteTime = Fixed(30 * time.Second)
	})
	id := l.staffeln.full(l.attached(1, encrypted))
	l.staffeln.delete(backupsPath + "/" + id).want(202)
	l.clock.step(10 * time.Minute)
	if b, _ := l.cloud.Backup(id); b.Status != "deleting" {
		t.Fatalf("%+v", b)
	}
}

func TestLaw_BarbicanDownAndKeyGone(t *testing.T) {
	l := newBench(t)
	v := l.attached(1, encrypted)
	old := l.staffeln.full(v)
	l.cloud.SetKeyManager(false)
	id := l.staffeln.start(v, false)
	l.clock.step(time.Second)
	if r := l.staffeln.status(id, "error"); !strings.Contains(r.text("backup.fail_reason"), "Unable to establish connection to") {
		t.Fatal(r.body)
	}
	l.staffeln.delete(backupsPath + "/" + old).want(202)
	l.clock.step(time.Minute)
	l.staffeln.status(old, "deleting")
	l.cloud.SetKeyManager(true)
	l.cloud.DeleteSecret(v)
	id = l.staffeln.start(v, false)
	l.clock.step(time.Second)
	if r := l.staffeln.status(id, "error"); !strings.Contains(r.text("backup.fail_reason"), "Key not found, uuid: ") {
		t.Fatal(r.body)
	}
}

func TestLaw_ARestartLeavesEncryptedDeletionsInErrorDeleting(t *testing.T) {
	for _, cure := range []string{"force", "reset"} {
		l := newBench(t)
		id := l.staffeln.full(l.attached(1, encrypted))
		path := backupsPath + "/" + id
		l.staffeln.delete(path).want(202)
		l.cloud.RestartBackupService()
		l.clock.step(time.Minute)
		if r := l.staffeln.status(id, "error_deleting"); r.at("backup.fail_reason") != nil {
			t.Fatal(r.body)
		}
		l.staffeln.delete(path).wantBody(400, badStatus)
		if cure == "force" {
			l.staffeln.post(path+"/action", m{"os-force_delete": m{}}).want(202)
		} else {
			l.staffeln.post(path+"/action", m{"os-reset_status": m{"status": "error"}}).want(202)
			l.staffeln.delete(path).want(202)
		}
		l.clock.step(time.Minute)
		l.staffeln.get(path).want(404)
	}
}

func TestLaw_EncryptedRestoresNeedAVolumeOfTheTypeAndTheRights(t *testing.T) {
	l := newBench(t)
	l.cloud.Grant(l.alice, l.acme, "creator")
	v := l.attached(1, encrypted)
	id := l.staffeln.full(v)
	restore := func(body m) string {
		r := l.tenant.post(backupsPath+"/"+id+"/restore", m{"restore": body}).want(202)
		l.clock.step(3 * time.Second)
		l.staffeln.status(id, "available")
		return r.text("restore.volume_id")
	}
	l.volumeStatus(restore(m{}), "error_restoring")
	good := l.tenant.post("/volume/v3/{p}/volumes", m{"volume": m{"size": 1, "volume_type": "luks"}}).want(202).text("volume.id")
	l.volumeStatus(restore(m{"volume_id": good}), "available")

	target := l.cloud.AddVolume(l.acme, "target", 1, encrypted)
	l.cloud.Revoke(l.alice, l.acme, "creator")
	l.volumeStatus(restore(m{"volume_id": target}), "error_restoring")
	l.tenant.post("/volume/v3/{p}/volumes", m{"volume": m{"size": 1, "volume_type": "luks"}}).wantBody(400,
		`{"badRequest": {"code": 400, "message": "Key manager error"}}`)
	key := func(id string) string {
		return l.staffeln.at("3.70").get("/volume/v3/{p}/volumes/" + id).want(200).text("volume.encryption_key_id")
	}
	if key(target) != key(v) {
		t.Fatal("the failed target carries the source's key")
	}
	l.tenant.delete("/volume/v3/{p}/volumes/" + target).want(202)
	if source, _ := l.cloud.Volume(v); source.KeyExists {
		t.Fatal("deleting the failed target deletes the source's key")
	}
}

func TestLaw_SecretsOfADeletedProjectAreOutOfReach(t *testing.T) {
	l := newBench(t)
	id := l.staffeln.full(l.attached(1, encrypted))
	l.cloud.DeleteProject(l.acme)
	l.foreign.delete(backupsPath + "/" + id).want(202)
	l.clock.step(time.Minute)
	l.foreign.status(id, "deleting")
	l.cloud.SetSecretRights(l.cloud.Cast().Service, l.acme, true) // a rule of the operator's for Barbican
	l.foreign.post(backupsPath+"/"+id+"/action", m{"os-force_delete": m{}}).want(202)
	l.clock.step(time.Minute)
	l.foreign.get(backupsPath + "/" + id).want(404)
}
