package cloudsim

import (
	"strings"
	"testing"
	"time"
)

var encrypted = VolumeOptions{Encrypted: true}

func TestAPI_EncryptedBackupsNeedTheRightToSecrets(t *testing.T) {
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
			c.delete(backupsPath + "/" + id).want(202) // a backup without a key can always be deleted
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

func TestAPI_HangingDeletionAndItsFix(t *testing.T) {
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
		t.Fatal("the quota must still be charged: " + r.body)
	}
	if l.happened(BackupHangs, id) != 1 {
		t.Fatal("no event in the journal")
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
		t.Fatal("the backup's own secret was not deleted")
	}
}

func TestAPI_TokenThatExpiresBeforeKeyDeletionHangsTheDeletion(t *testing.T) {
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

func TestAPI_BarbicanDownAndKeyDeleted(t *testing.T) {
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

func TestAPI_RestartLeavesEncryptedDeletionsInErrorDeleting(t *testing.T) {
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

func TestAPI_EncryptedRestoresNeedTheVolumeTypeAndTheRight(t *testing.T) {
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
		t.Fatal("want the source's key in the failed target")
	}
	l.tenant.delete("/volume/v3/{p}/volumes/" + target).want(202)
	if source, _ := l.cloud.Volume(v); source.KeyExists {
		t.Fatal("the source's key must be deleted with the failed target")
	}
}

func TestAPI_SecretsOfDeletedProjectAreInaccessible(t *testing.T) {
	l := newBench(t)
	id := l.staffeln.full(l.attached(1, encrypted))
	l.cloud.DeleteProject(l.acme)
	l.foreign.delete(backupsPath + "/" + id).want(202)
	l.clock.step(time.Minute)
	l.foreign.status(id, "deleting")
	l.cloud.SetSecretRights(l.cloud.Cast().Service, l.acme, true) // an operator's own policy of Barbican
	l.foreign.post(backupsPath+"/"+id+"/action", m{"os-force_delete": m{}}).want(202)
	l.clock.step(time.Minute)
	l.foreign.get(backupsPath + "/" + id).want(404)
}

const secretsPath = "/key-manager/v1/secrets"

// Barbican returns a 404 for a missing secret to every valid token, before it checks its policy.
func TestAPI_VisibilityOfSecretsInBarbican(t *testing.T) {
	for name, tc := range map[string]struct {
		roles       []string
		foreign     bool
		release     string
		lists, sees int
	}{
		"inherited admin in the project": {roles: []string{"admin"}, release: Zed, lists: 200, sees: 200},
		"creator":                        {roles: []string{"creator"}, release: Zed, lists: 200, sees: 200},
		"member":                         {roles: []string{"member"}, release: Zed, lists: 403, sees: 403},
		"reader":                         {roles: []string{"reader"}, release: Gazpacho, lists: 403, sees: 403},
		"member, newer":                  {roles: []string{"member"}, release: Gazpacho, lists: 200, sees: 200},
		"admin of the admin project":     {roles: []string{"admin"}, foreign: true, release: Epoxy, lists: 200, sees: 403},
		"admin elsewhere, newer":         {roles: []string{"admin"}, foreign: true, release: Gazpacho, lists: 200, sees: 200},
	} {
		t.Run(name, func(t *testing.T) {
			l := newBench(t, func(o *Options) { o.Release = tc.release })
			u, p := l.cloud.AddUser("carol", "carol", ""), l.acme
			if tc.foreign {
				p = l.cloud.Cast().AdminProject
			}
			for _, r := range tc.roles {
				l.cloud.Grant(u, p, r)
			}
			id := l.staffeln.full(l.attached(1, encrypted))
			key := l.staffeln.at("3.70").get(backupsPath + "/" + id).want(200).text("backup.encryption_key_id")
			c := l.login("carol", "carol", p)
			r := c.get(secretsPath + "?limit=100&offset=0").want(tc.lists)
			switch {
			case tc.lists == 403:
				r.wantBody(403, `{"code": 403, "title": "Forbidden", "description": "Secret(s) retrieval attempt not allowed - please review your user/project privileges"}`)
			case tc.foreign && r.at("total") != 0.0:
				t.Fatal("secrets of another project are listed: " + r.body)
			case !tc.foreign && !strings.Contains(r.body, "/v1/secrets/"+key+`"`):
				t.Fatal(r.body)
			}
			r = c.get(secretsPath + "/" + key).want(tc.sees)
			if tc.sees == 403 {
				r.wantBody(403, `{"code": 403, "title": "Forbidden", "description": "Secret retrieval attempt not allowed - please review your user/project privileges"}`)
			}
			l.cloud.DeleteSecretOf(id)
			c.get(secretsPath+"/"+key).wantBody(404, `{"code": 404, "title": "Not Found", "description": "Secret not found."}`)
			c.get(secretsPath+"/"+key+"0").wantBody(404, `{"code": 404, "title": "Not Found", "description": "Not Found. Provided secret id is invalid."}`)
			client{l: l}.get(secretsPath + "/" + key).want(401)
			l.cloud.RestoreSecretOf(id)
			c.get(secretsPath + "/" + key).want(tc.sees)
		})
	}
}

// Without a limit the list has ten secrets; with one it has at most a hundred.
func TestAPI_PagesOfSecrets(t *testing.T) {
	l := newBench(t)
	for range 103 {
		l.cloud.AddVolume(l.acme, "data", 1, encrypted)
	}
	refs := func(query string) []any {
		list, ok := l.staffeln.get(secretsPath + query).want(200).at("secrets").([]any)
		if !ok {
			t.Fatal("secrets must be a list even if it is empty")
		}
		return list
	}
	for query, want := range map[string]int{"": 10, "?limit=1000": 100, "?limit=100&offset=100&sort=created:asc": 3, "?limit=100&offset=200": 0, "?limit=x": 10} {
		if got := len(refs(query)); got != want {
			t.Errorf("%s: %d secrets, want %d", query, got, want)
		}
	}
	r := l.staffeln.get(secretsPath + "?limit=100&offset=0")
	if r.at("total") != 103.0 || r.at("previous") != nil || !strings.HasSuffix(r.text("next"), "/v1/secrets?limit=100&offset=100") {
		t.Fatal(r.at("next"))
	}
}

func TestAPI_CloudWithoutSecretsHasNoBarbican(t *testing.T) {
	l := newBench(t)
	has := func() bool {
		r := client{l: l}.do("POST", "/identity/v3/auth/tokens", authBody("staffeln", l.cloud.Cast().Password, l.acme)).want(201)
		return strings.Contains(r.body, `"type":"key-manager"`) || strings.Contains(r.body, `"type": "key-manager"`)
	}
	if has() {
		t.Fatal("Barbican in the catalog before the first secret")
	}
	l.cloud.AddVolume(l.acme, "data", 1, encrypted)
	if !has() {
		t.Fatal("no Barbican in the catalog")
	}
	l.cloud.LeaveOut(Barbican, true)
	if has() {
		t.Fatal("Barbican in the catalog after LeaveOut")
	}
}
