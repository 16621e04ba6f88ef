package cloudsim

import (
	"strings"
	"testing"
)

func TestAPI_ProjectInURLIsTheTokensOrOmitted(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	malformed := `{"badRequest": {"code": 400, "message": "Malformed request url"}}`
	l.foreign.get("/volume/v3/"+l.acme+"/backups").wantBody(400, malformed) // even with an admin's token
	l.tenant.get("/volume/v3/"+l.other+"/volumes/detail").wantBody(400, malformed)
	id := l.staffeln.post("/volume/v3/backups", backupBody(v, false)).want(202).text("backup.id")
	r := l.staffeln.get("/volume/v3/backups/" + id).want(200)
	if got := r.text("backup.links.0.href"); got != l.url+"/volume/v3/backups/"+id {
		t.Fatal(got)
	}
	if got := l.staffeln.get(backupsPath + "/" + id).text("backup.links.1.href"); got != l.url+"/volume/"+l.acme+"/backups/"+id {
		t.Fatal(got)
	}
}

func TestAPI_UnscopedTokenIsRefusedByCinder(t *testing.T) {
	l := newBench(t)
	c := l.login("alice", "alice", "")
	c.get("/volume/v3/backups/detail").wantBody(403, `{"forbidden": {"code": 403, "message": "Not authorized."}}`)
	c.get("/volume/v3/"+l.acme+"/backups/detail").wantBody(400, `{"badRequest": {"code": 400, "message": "Malformed request url"}}`)
	if n := len(c.get("/compute/v2.1/servers/detail").want(200).list("servers")); n != 0 {
		t.Fatal(n)
	}
}

func TestAPI_CreationWithSystemScopedTokenLeavesTheVolumeStuck(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	l.staffeln.full(v)
	body := authBody("staffeln", "staffeln", "")
	auth, _ := body["auth"].(m)
	auth["scope"] = m{"system": m{"all": true}}
	system := client{l: l, token: client{l: l}.post("/identity/v3/auth/tokens", body).want(201).header.Get("X-Subject-Token")}
	if n := len(system.get("/volume/v3/backups/detail?all_tenants=1").want(200).list("backups")); n != 1 {
		t.Fatal(n)
	}
	if n := len(system.get("/compute/v2.1/servers/detail?all_tenants=1").want(200).list("servers")); n != 1 {
		t.Fatal(n)
	}
	system.post("/volume/v3/backups", backupBody(v, false)).wantBody(500,
		`{"computeFault": {"code": 500, "message": "The server has either erred or is incapable of performing the requested operation."}}`)
	l.volumeStatus(v, "backing-up")
	l.foreign.post("/volume/v3/{p}/volumes/"+v+"/action", m{"os-reset_status": m{"status": "in-use"}}).want(202)
	l.volumeStatus(v, "in-use")
}

func TestAPI_MicroversionsAreNegotiated(t *testing.T) {
	l := newBench(t)
	l.staffeln.at("3.99").get(backupsPath).wantBody(406,
		`{"computeFault": {"code": 406, "message": "Version 3.99 is not supported by the API. Minimum is 3.0 and maximum is 3.70."}}`)
	l.staffeln.compute("2.99").get("/compute/v2.1/servers").wantBody(406,
		`{"computeFault": {"code": 406, "message": "Version 2.99 is not supported by the API. Minimum is 2.1 and maximum is 2.93."}}`)
	l.staffeln.at("bogus").get(backupsPath).want(400)
	for asked, got := range map[string]string{"latest": "volume 3.70", "3.43": "volume 3.43"} {
		if h := l.staffeln.at(asked).get(backupsPath).want(200).header.Get("OpenStack-API-Version"); h != got {
			t.Fatal(h)
		}
	}
	if h := l.staffeln.get(backupsPath).want(200).header; h.Get("OpenStack-API-Version") != "volume 3.0" || h.Get("X-Openstack-Request-Id") == "" {
		t.Fatal(h)
	}
	if h := l.staffeln.with("X-OpenStack-Nova-API-Version", "2.60").get("/compute/v2.1/servers").want(200).header.Get("OpenStack-API-Version"); h != "compute 2.60" {
		t.Fatal(h)
	}
	old := newBench(t, func(o *Options) { o.VolumeMinor = 42 })
	old.staffeln.at("3.43").get(backupsPath).want(406)
}

func TestAPI_FieldsOfBackupDependOnMicroversionAndRole(t *testing.T) {
	l := newBench(t)
	v := l.attached(1, VolumeOptions{Encrypted: true})
	id := l.staffeln.full(v)
	for _, tc := range []struct {
		c    client
		mv   string
		want string
	}{
		{l.staffeln, "3.0", ""},
		{l.staffeln, "3.18", "project"},
		{l.staffeln, "3.43", "project metadata"},
		{l.staffeln, "3.56", "project metadata user"},
		{l.staffeln, "3.64", "project metadata user key"},
		{l.tenant, "3.43", "metadata"},
		{l.tenant, "3.64", "metadata key"},
	} {
		r := tc.c.at(tc.mv).get(backupsPath + "/" + id).want(200)
		b, _ := r.at("backup").(m)
		var got []string
		for _, f := range [][2]string{{"os-backup-project-attr:project_id", "project"}, {"metadata", "metadata"}, {"user_id", "user"}, {"encryption_key_id", "key"}} {
			if _, there := b[f[0]]; there {
				got = append(got, f[1])
			}
		}
		if strings.Join(got, " ") != tc.want {
			t.Fatalf("%s: shows %v, want %s", tc.mv, got, tc.want)
		}
	}
}

func TestAPI_MetadataAndRenaming(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	body := m{"backup": m{"volume_id": v, "force": true, "metadata": m{"k": "v"}}}
	id := l.staffeln.at("3.43").post(backupsPath, body).want(202).text("backup.id")
	path := backupsPath + "/" + id
	l.tenant.at("3.43").do("PUT", path, m{"backup": m{"name": "mine", "metadata": m{"k": "w"}}}).want(200) // any tenant may
	r := l.staffeln.at("3.70").get(path).want(200)
	if r.text("backup.name") != "mine" || r.text("backup.metadata.k") != "w" {
		t.Fatal(r.body)
	}
	l.tenant.do("PUT", path, m{"backup": m{"name": "mine"}}).wantBody(404, `{"itemNotFound": {"code": 404, "message": "The resource could not be found."}}`)
	l.tenant.at("3.9").do("PUT", path, m{"backup": m{"metadata": m{}}}).want(400)
	l.tenant.at("3.70").do("PUT", path, m{"name": "x"}).wantBody(400, `{"badRequest": {"code": 400, "message": "'backup' is a required property"}}`)
}

func TestAPI_VersionDocuments(t *testing.T) {
	l := newBench(t)
	nobody := client{l: l}
	for path, status := range map[string]int{
		"/identity": 300, "/identity/": 300, "/identity/v3": 200, "/identity/v3/": 200, "/compute": 200, "/compute/": 200,
		"/compute/v2.1": 200, "/compute/v2.1/": 200, "/volume": 300, "/volume/": 300, "/volume/v3": 302, "/volume/v3/": 401,
	} {
		nobody.get(path).want(status)
	}
	if r := l.staffeln.get("/volume/v3/").want(200); r.text("versions.0.version") != "3.70" || r.text("versions.0.links.1.href") != l.url+"/volume/v3/" {
		t.Fatal(r.body)
	}
	if r := nobody.get("/identity/v3"); r.text("version.id") != "v3.14" || r.text("version.links.0.href") != l.url+"/identity/v3/" {
		t.Fatal(r.body)
	}
	if r := nobody.get("/compute/v2.1/"); r.text("version.version") != "2.93" {
		t.Fatal(r.body)
	}
	l.staffeln.get("/volume/v3/" + l.acme + "/").want(404)
	if u := l.cloud.UnknownRoutes(); len(u) != 0 {
		t.Fatal(u)
	}
}
