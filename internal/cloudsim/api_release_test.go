package cloudsim

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// of returns the option for a release.
func of(release string) func(*Options) { return func(o *Options) { o.Release = release } }

func TestAPI_NewestMicroversionOfEachRelease(t *testing.T) {
	for release, want := range map[string][2]string{Zed: {"3.70", "2.93"}, Epoxy: {"3.71", "2.100"}, Gazpacho: {"3.71", "2.103"}} {
		l := newBench(t, of(release))
		if r := l.foreign.get("/volume/").want(300); r.text("versions.0.version") != want[0] {
			t.Fatal(r.body)
		}
		if r := l.foreign.get("/compute/").want(200); r.text("versions.1.version") != want[1] {
			t.Fatal(r.body)
		}
		l.foreign.at(want[0]).get("/volume/v3/{p}/volumes").want(200)
		l.foreign.at("3.72").get("/volume/v3/{p}/volumes").wantBody(406, `{"computeFault": {"code": 406, "message": "Version 3.72 is not supported by the API. `+
			`Minimum is 3.0 and maximum is `+want[0]+`."}}`)
	}
}

func TestAPI_AdminImpliesManagerInReleasesNewerThanZed(t *testing.T) {
	for release, want := range map[string]string{Zed: "admin member reader", Epoxy: "admin manager member reader", Gazpacho: "admin manager member reader"} {
		l := newBench(t, of(release))
		r := client{l: l}.post("/identity/v3/auth/tokens", authBody("staffeln", "staffeln", l.acme)).want(201)
		var names []string
		for _, e := range r.list("token.roles") {
			role, _ := e.(m)
			name, _ := role["name"].(string)
			names = append(names, name)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != want {
			t.Fatalf("%s: %s", release, got)
		}
		here := len(l.foreign.get("/identity/v3/role_assignments?effective&scope.project.id=" + l.acme).want(200).list("role_assignments"))
		if implied := len(strings.Fields(want)); here != implied+2 { // and alice, a member
			t.Fatalf("%s: %d effective assignments", release, here)
		}
	}
}

func TestAPI_NewerReleasesUseNewestAvailableBackupAsParent(t *testing.T) {
	for _, release := range []string{Epoxy, Gazpacho} {
		l := newBench(t, of(release))
		v := l.attached(1)
		l.staffeln.post(backupsPath, backupBody(v, true)).wantBody(400, noParent)
		full := l.staffeln.full(v)
		l.cloud.BreakTarget("no space left")
		bad := l.staffeln.start(v, true)
		l.clock.step(3 * time.Second)
		l.cloud.BreakTarget("")
		l.staffeln.status(bad, "error")
		first := l.staffeln.inc(v)
		if b, _ := l.cloud.Backup(first); b.Parent != full {
			t.Fatal("a failed backup must not block the parent")
		}
		l.tenant.post(backupsPath+"/"+first+"/restore", m{"restore": m{"name": "r"}}).want(202)
		second := l.staffeln.start(v, true)
		l.clock.step(3 * time.Second)
		if b, _ := l.cloud.Backup(second); b.Parent != full || b.Status != "available" || !b.Restorable {
			t.Fatalf("the backup being restored must be skipped as parent: %+v", b)
		}
		l.staffeln.delete(backupsPath+"/"+full).wantBody(400, haveDependents)
	}
}

func TestAPI_IncrementalWithoutAvailableParentIsRefused(t *testing.T) {
	for release, want := range map[string]string{Zed: parentNotReady, Epoxy: noParent, Gazpacho: noParent} {
		l := newBench(t, of(release))
		v := l.attached(1)
		l.cloud.SetBackupStatus(l.staffeln.full(v), "error")
		l.staffeln.post(backupsPath, backupBody(v, true)).wantBody(400, want)
	}
}

func TestAPI_ServerDeletedDuringBackupOfItsVolume(t *testing.T) {
	for release, want := range map[string]string{Zed: "available", Epoxy: "in-use", Gazpacho: "in-use"} {
		l := newBench(t, of(release))
		s, v := l.serverAndVolume()
		l.staffeln.start(v, false)
		l.cloud.DeleteServer(s)
		l.clock.step(3 * time.Second)
		l.wantVolume(v, want, 0)
	}
}

func TestAPI_NovaRefusesSystemScopedTokensInReleasesNewerThanZed(t *testing.T) {
	for release, want := range map[string]int{Zed: 200, Epoxy: 403, Gazpacho: 403} {
		l := newBench(t, of(release))
		body := authBody("staffeln", "staffeln", "")
		auth, _ := body["auth"].(m)
		auth["scope"] = m{"system": m{"all": true}}
		r := client{l: l}.post("/identity/v3/auth/tokens", body).want(201)
		system := client{l: l, token: r.header.Get("X-Subject-Token")}
		system.get(serversPath + "/detail?all_tenants=1").want(want)
		system.get("/volume/v3/volumes/detail?all_tenants=1").want(200)
	}
}

func TestAPI_MissingRightHangsNoDeletionInGazpacho(t *testing.T) {
	for release, gone := range map[string]bool{Zed: false, Epoxy: false, Gazpacho: true} {
		l := newBench(t, of(release))
		v := l.cloud.AddVolume(l.acme, "v", 1, VolumeOptions{Encrypted: true})
		b := l.staffeln.full(v)
		l.tenant.delete(backupsPath + "/" + b).want(202)
		l.clock.step(3 * time.Second)
		if _, there := l.cloud.Backup(b); there == gone {
			t.Fatalf("%s: there %t", release, there)
		}
	}
}

func TestAPI_InGazpachoMemberMayUseSecretsAndCreatorAloneMayNot(t *testing.T) {
	for release, want := range map[string][2]string{Zed: {"error", "available"}, Epoxy: {"error", "available"}, Gazpacho: {"available", "error"}} {
		l := newBench(t, of(release))
		v := l.cloud.AddVolume(l.acme, "v", 1, VolumeOptions{Encrypted: true})
		bob := l.cloud.AddUser("bob", "bob", "")
		l.cloud.Grant(bob, l.acme, "creator")
		creator := l.login("bob", "bob", l.acme)
		for n, who := range []client{l.tenant, creator} {
			b := who.start(v, false)
			l.clock.step(3 * time.Second)
			if got, _ := l.cloud.Backup(b); got.Status != want[n] {
				t.Fatalf("%s, %d: %s", release, n, got.Status)
			}
		}
	}
}
