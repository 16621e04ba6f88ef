package cloudsim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

const createRoute = "POST /volume/v3/{project}/backups"

func TestRefuseReplacesResponseToCountedRequests(t *testing.T) {
	l := newBench(t)
	v, w := l.attached(1), l.attached(1)
	l.cloud.AddFault(Fault{Route: createRoute, Volume: v, Skip: 1, Times: 2, Do: Refuse{Status: 503, Body: "overloaded", Header: http.Header{"Retry-After": {"7"}}}})
	l.staffeln.post(backupsPath, backupBody(v, false)).want(202)
	l.clock.step(3 * time.Second)
	for range 2 {
		if r := l.staffeln.post(backupsPath, backupBody(v, false)).wantBody(503, "overloaded"); r.header.Get("Retry-After") != "7" {
			t.Fatal(r.header)
		}
		l.staffeln.post(backupsPath, backupBody(w, false)).want(202)
		l.clock.step(3 * time.Second)
	}
	l.staffeln.post(backupsPath, backupBody(v, false)).want(202)
	if n := l.happened(FaultFired, ""); n != 2 {
		t.Fatal(n)
	}
}

func TestFaultsMatchByProjectAndByFunction(t *testing.T) {
	l := newBench(t)
	remove := l.cloud.AddFault(Fault{Project: l.acme, Do: Refuse{Status: 500}})
	l.staffeln.get(backupsPath).want(500)
	l.foreign.get(backupsPath).want(200)
	remove()
	remove()
	l.cloud.AddFault(Fault{Match: func(r Request) bool { return strings.Contains(string(r.Body), "os-force_delete") }, Do: Refuse{Status: 405}})
	l.staffeln.post(backupsPath+"/"+uuidNowhere+"/action", m{"os-force_delete": m{}}).want(405)
	l.staffeln.post(backupsPath+"/"+uuidNowhere+"/action", m{"os-reset_status": m{"status": "error"}}).want(404)
}

func TestDropBeforeAndAfterTheEffect(t *testing.T) {
	for _, tc := range []struct {
		do   Effect
		want int
	}{{DropBefore{}, 0}, {DropAfterEffect{}, 1}} {
		l := newBench(t)
		v := l.attached(1)
		l.cloud.AddFault(Fault{Route: createRoute, Do: tc.do})
		if r := l.staffeln.post(backupsPath, backupBody(v, false)); r.err == nil {
			t.Fatal("got a response: " + r.body)
		}
		if n := len(l.cloud.Backups()); n != tc.want {
			t.Fatalf("%T: %d backups, want %d", tc.do, n, tc.want)
		}
	}
}

func TestExecuteLaterMakesBackupWithoutResponse(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	l.cloud.AddFault(Fault{Route: createRoute, Times: 1, Do: ExecuteLater{After: 12 * time.Minute}})
	if r := l.staffeln.post(backupsPath, backupBody(v, false)); r.err == nil {
		t.Fatal("got a response: " + r.body)
	}
	l.clock.step(11 * time.Minute)
	if len(l.cloud.Backups()) != 0 {
		t.Fatal("executed too early")
	}
	l.clock.step(2 * time.Minute)
	list := l.cloud.Backups()
	if len(list) != 1 || list[0].Status != "available" || list[0].Created.Format("15:04:05") != "06:39:00" {
		t.Fatalf("%+v", list)
	}
}

func TestGarbledAndHalfResponsesFollowTheEffect(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	l.cloud.AddFault(Fault{Route: createRoute, Times: 1, Do: GarbageBody{}})
	if r := l.staffeln.post(backupsPath, backupBody(v, false)).want(202); !strings.HasPrefix(r.body, "<html>") {
		t.Fatal(r.body)
	}
	l.clock.step(3 * time.Second)
	l.cloud.AddFault(Fault{Route: createRoute, Times: 1, Do: HalfBody{}})
	if r := l.staffeln.post(backupsPath, backupBody(v, false)); !errors.Is(r.err, io.ErrUnexpectedEOF) {
		t.Fatal(r.err)
	}
	if n := len(l.cloud.Backups()); n != 2 {
		t.Fatal(n)
	}
}

func TestStallHoldsARequestUntilItIsReleasedOrTheClientGivesUp(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	remove := l.cloud.AddFault(Fault{Route: createRoute, Do: Stall{}})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/volume/v3/backups", strings.NewReader(`{"backup": {"volume_id": "`+v+`", "force": true}}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", l.staffeln.token)
	gaveUp := make(chan error, 1)
	go func() {
		res, err := l.http.Do(req)
		if err == nil {
			_ = res.Body.Close()
		}
		gaveUp <- err
	}()
	for l.cloud.Counts()[createRoute] == 0 { // until the request has arrived
		runtime.Gosched()
	}
	cancel()
	if err := <-gaveUp; err == nil {
		t.Fatal("got a response despite the stall")
	}
	replies := make(chan reply, 1)
	go func() { replies <- l.staffeln.post(backupsPath, backupBody(v, false)) }()
	for l.cloud.Counts()[createRoute] < 2 {
		runtime.Gosched()
	}
	select {
	case r := <-replies:
		t.Fatal("got a response despite the stall: " + r.body)
	default:
	}
	remove()
	(<-replies).want(202)
	if n := len(l.cloud.Backups()); n != 1 {
		t.Fatalf("%d backups, want 1: the cancelled request must not be executed", n)
	}
}

func TestStallAfterEffectExecutesAndHoldsTheResponse(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	remove := l.cloud.AddFault(Fault{Route: createRoute, Do: StallAfterEffect{}})
	replies := make(chan reply, 1)
	go func() { replies <- l.staffeln.post(backupsPath, backupBody(v, false)) }()
	for len(l.cloud.Backups()) == 0 {
		runtime.Gosched()
	}
	select {
	case r := <-replies:
		t.Fatal("got a response despite the stall: " + r.body)
	default:
	}
	remove()
	(<-replies).want(202)
}

func TestStickAndFailLater(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	l.cloud.AddFault(Fault{Route: createRoute, Times: 1, Do: FailLater{Reason: "the tape is torn"}})
	id := l.staffeln.start(v, false)
	l.clock.step(3 * time.Second)
	if r := l.staffeln.status(id, "error"); r.text("backup.fail_reason") != "the tape is torn" {
		t.Fatal(r.body)
	}
	l.volumeStatus(v, "in-use")
	l.cloud.AddFault(Fault{Route: "DELETE /volume/v3/{project}/backups/{backup}", Times: 1, Do: FailLater{Reason: "no", Status: "error_deleting"}})
	l.staffeln.delete(backupsPath + "/" + id).want(202)
	l.clock.step(3 * time.Second)
	l.staffeln.status(id, "error_deleting")

	l.cloud.AddFault(Fault{Route: createRoute, Times: 1, Do: Stick{}})
	stuck := l.staffeln.start(v, false)
	l.clock.step(30 * time.Minute)
	l.staffeln.status(stuck, "creating")
	l.cloud.ReleaseBackup(stuck)
	l.staffeln.status(stuck, "available")
	l.volumeStatus(v, "in-use")
	l.cloud.AddFault(Fault{Backup: stuck, Route: "DELETE /volume/v3/{project}/backups/{backup}", Do: Stick{}})
	l.staffeln.delete(backupsPath + "/" + stuck).want(202)
	l.clock.step(20 * time.Minute)
	l.staffeln.status(stuck, "deleting")
	l.cloud.ReleaseBackup(stuck)
	l.staffeln.get(backupsPath + "/" + stuck).want(404)
}

func TestMakeFullTurnsAnIncrementalIntoAFull(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	full := l.staffeln.full(v)
	l.cloud.AddFault(Fault{Route: createRoute, Times: 1, Do: MakeFull{}})
	id := l.staffeln.start(v, true)
	if l.staffeln.status(id, "creating").at("backup.is_incremental") != true {
		t.Fatal("want an incremental")
	}
	l.clock.step(3 * time.Second)
	if l.staffeln.status(id, "available").at("backup.is_incremental") != false {
		t.Fatal("want a full")
	}
	l.staffeln.delete(backupsPath + "/" + full).want(202)
	l.clock.step(time.Second)
	if b, _ := l.cloud.Backup(id); !b.Restorable {
		t.Fatal("the full has no parent and must be restorable")
	}
}
