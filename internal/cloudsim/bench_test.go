package cloudsim

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// bench is a cloud with a stepped clock that is called over HTTP, and two tenants.
type bench struct {
	t           *testing.T
	cloud       *Cloud
	clock       *steppedClock
	url         string
	http        *http.Client
	acme, other string // projects
	alice       string // member of acme
	staffeln    client // the service user, in acme
	foreign     client // the service user, in the project admin
	tenant      client // alice, in acme
}

type steppedClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *steppedClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *steppedClock) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newBench(t *testing.T, change ...func(*Options)) *bench {
	t.Helper()
	l := &bench{t: t, clock: &steppedClock{now: time.Date(2026, 11, 22, 6, 27, 0, 0, time.UTC)}}
	opt := Options{Now: l.clock.Now, Seed: 1}
	for _, f := range change {
		f(&opt)
	}
	l.cloud = New(opt)
	srv := httptest.NewServer(l.cloud)
	t.Cleanup(srv.Close)
	l.url, l.http = srv.URL, srv.Client()
	l.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	l.acme, l.other = l.cloud.AddProject("acme"), l.cloud.AddProject("globex")
	l.alice = l.cloud.AddUser("alice", "alice", "alice@acme.example")
	l.cloud.Grant(l.alice, l.acme, "member")
	l.staffeln = l.login("staffeln", l.cloud.Cast().Password, l.acme)
	l.foreign = l.login("staffeln", l.cloud.Cast().Password, l.cloud.Cast().AdminProject)
	l.tenant = l.login("alice", "alice", l.acme)
	return l
}

// attached makes a volume of size GiB in acme, attached to a server, and returns its ID.
func (l *bench) attached(size int, opts ...VolumeOptions) string {
	s := l.cloud.AddServer(l.acme, "web-1", nil)
	v := l.cloud.AddVolume(l.acme, "data", size, opts...)
	l.cloud.Attach(s, v)
	return v
}
