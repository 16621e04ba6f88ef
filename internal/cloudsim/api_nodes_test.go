package cloudsim

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"
)

func TestAPI_AccountIsLockedAfterFailedLoginsForAWhile(t *testing.T) {
	l := newBench(t, func(o *Options) { o.LockoutAttempts = 3 })
	login := func(password string, want int) {
		l.t.Helper()
		r := client{l: l}.post("/identity/v3/auth/tokens", authBody("staffeln", password, l.acme)).want(want)
		if want == 401 && r.body != keystone401 {
			t.Fatal("want the same 401 for a locked account: " + r.body)
		}
	}
	l.cloud.SetPassword(l.cloud.Cast().Service, "new")
	l.staffeln.get(backupsPath).want(401) // its tokens are revoked
	for range 3 {
		login("staffeln", 401)
	}
	if locked, failed := l.cloud.LockedOut(l.cloud.Cast().Service); !locked || failed != 3 {
		t.Fatal("want a locked account and 3 failed logins")
	}
	login("new", 401)
	login("staffeln", 401)
	l.clock.step(30 * time.Minute) // failures during the lock do not count
	login("new", 201)
	login("staffeln", 401)
	login("new", 201)
	if locked, failed := l.cloud.LockedOut(l.cloud.Cast().Service); locked || failed != 0 {
		t.Fatal("a successful login must reset the count")
	}
}

func TestAPI_CatalogOfNewTokenHasMovedEndpoint(t *testing.T) {
	for _, status := range []int{404, 410, 503, 0} {
		l := newBench(t)
		l.cloud.AddVolume(l.acme, "a", 1)
		l.cloud.AddVolume(l.acme, "b", 1)
		l.cloud.MoveService(Cinder, "/new", status)
		r := l.staffeln.get(volumesPath)
		if r.status != status || (r.err != nil) != (status == 0) {
			t.Fatalf("%d %v", r.status, r.err)
		}
		l.foreign.get(allServers).want(200)
		token := client{l: l}.post("/identity/v3/auth/tokens", authBody("staffeln", "staffeln", l.acme)).want(201)
		if got := token.text("token.catalog.1.endpoints.0.url"); got != l.url+"/new/volume/v3/"+l.acme {
			t.Fatal(got)
		}
		page := l.staffeln.get("/new" + volumesPath + "?limit=1").want(200)
		l.staffeln.get(page.text("volumes_links.0.href")).want(200)
		l.cloud.MoveService(Cinder, "", 0)
		l.staffeln.get(volumesPath).want(200)
	}
}

func TestAPI_OlderNodeHandlesEverySecondRequest(t *testing.T) {
	l := newBench(t)
	count := func() (refused int) {
		for range 10 {
			if l.staffeln.at("3.70").get(volumesPath).status == 406 {
				refused++
			}
			l.foreign.get("/identity/v3/projects")
		}
		return refused
	}
	l.cloud.AddOlderNode(Cinder, 68)
	if n := count(); n != 5 {
		t.Fatalf("%d of 10 refused", n)
	}
	l.cloud.AddOlderNode(Cinder, 0)
	if n := count(); n != 0 {
		t.Fatalf("%d of 10 refused", n)
	}
}

func TestAPI_TooLargePagesFail(t *testing.T) {
	l := newBench(t)
	remove := l.cloud.AddFault(MaxPage("GET "+serversPath+"/detail", 100))
	for query, want := range map[string]int{"": 504, "&limit=1000": 504, "&limit=101": 504, "&limit=100": 200} {
		l.foreign.get(serversPath + "/detail?all_tenants=1" + query).want(want)
	}
	remove()
	l.foreign.get(serversPath + "/detail?all_tenants=1").want(200)
}

func TestAPI_RefusedTexts(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusInternalServerError} {
		l := newBench(t)
		v := l.attached(1)
		l.cloud.AddFault(RefuseTexts("POST /volume/v3/{project}/backups", BeyondASCII, status))
		for _, body := range []m{{"name": "é"}, {"description": "naïve"}, {"metadata": m{"k": "☂"}}, {"metadata": m{"ß": "v"}}} {
			body["volume_id"], body["force"] = v, true
			l.staffeln.at("3.70").post(backupsPath, m{"backup": body}).want(status)
		}
		l.staffeln.full(v)
	}
}

func TestAPI_ListOfServicesCanBeRefused(t *testing.T) {
	l := newBench(t)
	for _, status := range []int{403, 404} {
		remove := l.cloud.AddFault(Fault{Route: "GET /volume/v3/{project}/os-services", Do: Refuse{Status: status}})
		l.foreign.get("/volume/v3/{p}/os-services").want(status)
		remove()
	}
}

func TestAPI_CatalogWithMissingAndAdditionalEndpoints(t *testing.T) {
	l := newBench(t)
	at := func() (out []string) {
		token := client{l: l}.post("/identity/v3/auth/tokens", authBody("staffeln", "staffeln", l.acme)).want(201)
		var body struct {
			Token struct {
				Catalog []struct {
					Type      string
					Endpoints []struct{ Interface, URL string }
				}
			}
		}
		if err := json.Unmarshal([]byte(token.body), &body); err != nil {
			t.Fatal(err)
		}
		for _, s := range body.Token.Catalog {
			for _, e := range s.Endpoints {
				if s.Type == "volumev3" && e.Interface == "public" {
					out = append(out, e.URL)
				}
			}
		}
		return out
	}
	usual, other := l.url+"/volume/v3/"+l.acme, "http://127.0.0.1:1/volume/v3/"+l.acme
	same := func(want ...string) {
		t.Helper()
		if got := at(); !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	}
	same(usual)
	l.cloud.LeaveOut(Cinder, true)
	same()
	l.staffeln.get(volumesPath).want(200)
	l.cloud.LeaveOut(Cinder, false)
	l.cloud.AddEndpoint(Cinder, "http://127.0.0.1:1")
	same(other, usual)
	l.cloud.AddEndpoint(Cinder, "")
	l.cloud.MoveService(Cinder, "http://127.0.0.1:1", 410)
	same(other)
	l.staffeln.get(volumesPath).want(410)
	l.cloud.MoveService(Cinder, l.url, 410)
	same(usual)
	l.staffeln.get(volumesPath).want(200)
}
