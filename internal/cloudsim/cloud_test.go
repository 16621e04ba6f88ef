package cloudsim

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestUnknownRoutesAreReported(t *testing.T) {
	l := newBench(t)
	r := l.staffeln.get("/volume/v3/{p}/snapshots").want(501)
	if r.text("cloudsim.message") != "no such route in this simulation: GET /volume/v3/"+l.acme+"/snapshots" {
		t.Fatal(r.body)
	}
	if u := l.cloud.UnknownRoutes(); len(u) != 1 || u[0] != "GET /volume/v3/"+l.acme+"/snapshots" {
		t.Fatal(u)
	}
	if l.happened(UnknownRoute, "") != 1 {
		t.Fatal("no event in the journal")
	}
}

func TestRequestsAreCountedByRoute(t *testing.T) {
	l := newBench(t)
	l.cloud.ResetCounts()
	l.staffeln.get(backupsPath + "/detail?limit=5").want(200)
	l.staffeln.get("/volume/v3/backups/detail").want(200)
	l.staffeln.get(backupsPath + "/" + uuidNowhere).want(404)
	got := l.cloud.Counts()
	if got["GET /volume/v3/{project}/backups/detail"] != 2 || got["GET /volume/v3/{project}/backups/{backup}"] != 1 || len(got) != 2 {
		t.Fatal(got)
	}
}

func TestJournalRecordsLifecycleOfBackup(t *testing.T) {
	l := newBench(t)
	seen := len(l.cloud.Journal())
	v := l.attached(1)
	id := l.staffeln.full(v)
	l.staffeln.delete(backupsPath + "/" + id).want(202)
	l.clock.step(time.Hour) // each event has its own time
	var got []string
	for _, e := range l.cloud.JournalSince(seen) {
		if e.Backup == id {
			got = append(got, e.Kind+" "+e.At.Format("04:05"))
		}
	}
	want := "backup_requested 27:00, backup_available 27:02, backup_deletion_requested 27:03, backup_deleted 27:04"
	if strings.Join(got, ", ") != want {
		t.Fatal(got)
	}
	r := client{l: l}.get("/cloudsim/journal").want(200)
	if len(r.list("events")) != len(l.cloud.Journal()) {
		t.Fatal(r.body)
	}
	if r = (client{l: l}).get("/cloudsim/counts").want(200); r.at("counts") == nil {
		t.Fatal(r.body)
	}
}

func TestOpenRCLogsIn(t *testing.T) {
	l := newBench(t, func(o *Options) { o.Password = "it's secret" })
	rc := l.cloud.OpenRC(l.url + "/")
	body := authBody(rc["OS_USERNAME"], rc["OS_PASSWORD"], "")
	auth, _ := body["auth"].(m)
	auth["scope"] = m{"project": m{"name": rc["OS_PROJECT_NAME"], "domain": m{"name": rc["OS_PROJECT_DOMAIN_NAME"]}}}
	client{l: l}.post(strings.TrimPrefix(rc["OS_AUTH_URL"], l.url)+"/auth/tokens", body).want(201)
	if lines := l.cloud.OpenRCLines(l.url); lines[2] != `export OS_PASSWORD='it'\''s secret'` {
		t.Fatal(lines)
	}
}

func TestAddBackupMakesFinishedBackups(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	full := l.cloud.AddBackup(NewBackup{Volume: v, Name: "old"})
	l.clock.step(time.Minute)
	inc := l.cloud.AddBackup(NewBackup{Volume: v, Parent: full, User: l.alice, Metadata: map[string]string{"k": "v"}})
	l.clock.step(time.Minute)
	next := l.staffeln.inc(v)
	if b, _ := l.cloud.Backup(next); b.Parent != inc || !b.Restorable {
		t.Fatalf("%+v", b)
	}
	l.cloud.RemoveBackup(inc)
	if b, _ := l.cloud.Backup(next); b.Restorable {
		t.Fatal("restorable although its parent was removed")
	}
	if len(l.cloud.BackupsOf(v)) != 2 || len(l.cloud.Backups()) != 2 {
		t.Fatal("want two backups")
	}
}

func TestTransferredVolumeLeavesItsBackups(t *testing.T) {
	l := newBench(t)
	v := l.cloud.AddVolume(l.acme, "v", 1)
	id := l.staffeln.full(v)
	l.cloud.TransferVolume(v, l.other)
	if r := l.foreign.get("/volume/v3/{p}/volumes/" + v).want(200); r.at("volume.os-vol-tenant-attr:tenant_id") != l.other {
		t.Fatal(r.body)
	}
	other := l.login("staffeln", "staffeln", l.other)
	other.post(backupsPath, backupBody(v, true)).wantBody(400, noParent)
	l.staffeln.status(id, "available")
}

func TestLargeCloudIsListedWithoutSortingEachPage(t *testing.T) {
	l := newBench(t)
	s := Seed(l.cloud, SeedOptions{Projects: 10, Servers: 20_000, VolumesPerServer: 5, MetadataKey: "k"})
	ids, pages := l.foreign.ids("/volume/v3/{p}/volumes?all_tenants=1&limit=1000", "volumes")
	if len(ids) != len(s.Volumes) || len(pages) != 101 {
		t.Fatalf("%d volumes in %d pages", len(ids), len(pages))
	}
	for n, v := range s.Volumes[:2_000] {
		c := l.login("staffeln", "staffeln", s.Projects[n/5%10])
		c.start(v, false)
		if n == 100 {
			break
		}
	}
	if n := len(l.cloud.Journal()); n > 1000 {
		t.Fatalf("%d events: seeding is not journalled", n)
	}
}

func TestCloudIsSafeForConcurrentUse(t *testing.T) {
	l := newBench(t)
	s := Seed(l.cloud, SeedOptions{Servers: 40, Projects: 1})
	c := l.login("staffeln", "staffeln", s.Projects[0])
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 10 {
				v := s.Volumes[(n*10+i)%len(s.Volumes)]
				if r := c.post(backupsPath, backupBody(v, false)); r.err != nil || r.status != 202 {
					t.Errorf("%d %s %v", r.status, r.body, r.err)
				}
				if r := c.get(fmt.Sprintf("/volume/v3/{p}/volumes/detail?limit=%d", 1+i)); r.status != 200 {
					t.Error(r.body)
				}
				l.clock.step(100 * time.Millisecond)
				l.cloud.Journal()
			}
		})
	}
	wg.Wait()
	l.clock.step(time.Minute)
	for _, b := range l.cloud.Backups() {
		if b.Status != "available" {
			t.Fatalf("%+v", b)
		}
	}
}
