package cloudsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Request is the part of a request that a fault can match.
type Request struct {
	Route   string // for example "POST /volume/v3/{project}/backups"
	Method  string
	Path    string
	Query   url.Values
	Body    []byte
	User    string
	Project string // of the token
	Volume  string // in the path or the body, or the volume of the backup
	Backup  string // in the path
	Server  string // in the path
}

// Fault is an error that matching requests get. An empty condition matches every request.
type Fault struct {
	Route   string // as in Request
	Project string // of the token
	Volume  string
	Backup  string
	Match   func(Request) bool // called with the cloud's lock held: it must not call the cloud
	Skip    int                // so many matching requests pass before the first fault
	Times   int                // the number of faults; 0 is no limit
	Do      Effect
}

// Effect is what a fault does: one of Refuse, Stall, StallAfterEffect, DropBefore, DropAfterEffect, GarbageBody, HalfBody,
// ExecuteLater, Stick, FailLater and MakeFull. Several faults may apply to one request.
type Effect interface {
	addTo(*effects)
}

// Refuse returns this response instead of the cloud's; nothing is executed.
type Refuse struct {
	Status int
	Body   string // empty is an error in the envelope of Nova and Cinder
	Header http.Header
}

// Stall holds the request before it is executed: for a time of the system clock or, if For is 0, until the fault is removed.
// If the client gives up meanwhile, nothing is executed.
type Stall struct{ For time.Duration }

// StallAfterEffect executes the request and holds its response: for a time of the system clock or, if For is 0, until the fault
// is removed or the client gives up.
type StallAfterEffect struct{ For time.Duration }

// DropBefore closes the connection without executing the request. Note that net/http repeats an idempotent request by itself
// if a kept-alive connection breaks.
type DropBefore struct{}

// DropAfterEffect executes the request and closes the connection without a response.
type DropAfterEffect struct{}

// GarbageBody executes the request and returns a body that is not JSON.
type GarbageBody struct{}

// HalfBody executes the request and closes the connection in the middle of the response.
type HalfBody struct{}

// ExecuteLater closes the connection without a response and executes the request after a time of the cloud's clock, as a
// message broker does when it recovers.
type ExecuteLater struct{ After time.Duration }

// Stick accepts the creation, deletion or restore, which then never ends by itself.
type Stick struct{}

// FailLater accepts the creation, deletion or restore, which then fails at its end for this reason. A failed deletion leaves
// the backup in error, or in the given status.
type FailLater struct {
	Reason string
	Status string
}

// MakeFull makes an accepted incremental turn out to be a full, as Ceph does if the snapshot of its parent was deleted:
// is_incremental is false once it is available.
type MakeFull struct{}

type activeFault struct {
	Fault
	seen, fired int
	released    chan struct{}
}

// AddFault adds a fault. The returned function removes it and releases the requests that it holds.
func (c *Cloud) AddFault(f Fault) (remove func()) {
	if f.Do == nil {
		panic("cloudsim: a fault without effect")
	}
	c.lock()
	defer c.mu.Unlock()
	p := &activeFault{Fault: f, released: make(chan struct{})}
	c.faults = append(c.faults, p)
	return sync.OnceFunc(func() {
		c.lock()
		defer c.mu.Unlock()
		for i, o := range c.faults {
			if o == p {
				c.faults = append(c.faults[:i:i], c.faults[i+1:]...)
				break
			}
		}
		close(p.released)
	})
}

// fire returns the effects of the faults that apply to a request.
func (c *Cloud) fire(q *call, known bool) effects {
	var e effects
	if !known || len(c.faults) == 0 {
		return e
	}
	r := c.describe(q)
	for _, f := range c.faults {
		if !f.matches(r) {
			continue
		}
		f.seen++
		if f.seen <= f.Skip || f.Times > 0 && f.fired >= f.Times {
			continue
		}
		f.fired++
		e.pending = f.released
		f.Do.addTo(&e)
		c.note(Event{Kind: FaultFired, Volume: r.Volume, Backup: r.Backup, Token: r.Project, User: r.User, Detail: fmt.Sprintf("%s: %T", r.Route, f.Do)})
	}
	q.marks = marks{stick: e.stick, full: e.full, fail: e.fail}
	return e
}

func (f *activeFault) matches(r Request) bool {
	return (f.Route == "" || f.Route == r.Route) && (f.Project == "" || f.Project == r.Project) &&
		(f.Volume == "" || f.Volume == r.Volume) && (f.Backup == "" || f.Backup == r.Backup) && (f.Match == nil || f.Match(r))
}

func (c *Cloud) describe(q *call) Request {
	r := Request{
		Route: q.route.name(), Method: q.method, Path: q.path, Query: q.query, Body: q.body,
		Volume: q.vars["volume"], Backup: q.vars["backup"], Server: q.vars["server"],
	}
	if q.tok != nil {
		r.User, r.Project = q.tok.user, q.tok.project
	}
	if b := c.backups.byID[r.Backup]; b != nil {
		r.Volume = b.Volume
	}
	if r.Volume == "" && len(q.body) > 0 {
		var in struct {
			Backup, Restore struct {
				VolumeID string `json:"volume_id"`
			}
			VolumeAttachment struct{ VolumeID string }
		}
		_ = json.Unmarshal(q.body, &in) // an invalid body names no volume
		r.Volume = or(in.Backup.VolumeID, or(in.Restore.VolumeID, in.VolumeAttachment.VolumeID))
	}
	return r
}
