package cloudsim

import (
	"net/http"
	"strings"
)

// Services that MoveService, LeaveOut, AddEndpoint and (but for Barbican) AddOlderNode name.
const (
	Nova     = "compute"
	Cinder   = "volume"
	Barbican = "key-manager"
)

// MoveService gives Nova, Cinder or Barbican another place, such as "/new" before its path, or another address of this cloud, such as
// "http://127.0.0.1:8777": the catalog of tokens issued from now on names it alone. The old place is answered with a status (404, 410,
// 503), or by breaking the connection when it is 0. Moved to "" it is where it was.
func (c *Cloud) MoveService(service, place string, oldStatus int) {
	c.lock()
	defer c.mu.Unlock()
	c.places[service] = moved{strings.TrimSuffix(place, "/"), oldStatus}
	c.note(Event{Kind: ServiceChanged, Detail: service + " moved to " + place})
}

type moved struct {
	place  string
	status int
}

// locate strips the place of a service from the path. It tells the status of what is asked for at its old place.
func (c *Cloud) locate(q *call) (status int, gone bool) {
	for service, m := range c.places {
		if m.place == "" || strings.Contains(m.place, "://") && m.place == q.base {
			continue
		}
		if rest, at := strings.CutPrefix(q.path, m.place+"/"+service); at && (rest == "" || rest[0] == '/') {
			q.path, q.base = "/"+service+rest, q.base+m.place
			return 0, false
		}
		if rest, at := strings.CutPrefix(q.path, "/"+service); at && (rest == "" || rest[0] == '/') {
			return m.status, true
		}
	}
	return 0, false
}

// notHere is what a proxy says where a service was.
func notHere(status int) answer {
	return answer{
		status: status, header: http.Header{"Content-Type": {"text/html"}},
		raw: "<html><head><title>" + http.StatusText(status) + "</title></head></html>",
	}
}

// place is where the catalog finds a service.
func (c *Cloud) place(base, service string) string {
	place := c.places[service].place
	if !strings.Contains(place, "://") {
		place = base + place
	}
	return place + "/" + service
}

// LeaveOut lets the catalog of tokens issued from now on name Nova, Cinder or Barbican no more, or again; they answer as before.
func (c *Cloud) LeaveOut(service string, out bool) {
	c.lock()
	defer c.mu.Unlock()
	c.leftOut[service] = out
}

// AddEndpoint lets the catalog of tokens issued from now on name a second endpoint of Nova or Cinder in the same region, at another
// address of this cloud. It stands first. "" takes it away.
func (c *Cloud) AddEndpoint(service, address string) {
	c.lock()
	defer c.mu.Unlock()
	c.alsoAt[service] = address
}

// endpointsOf are the places that the catalog names for a service.
func (c *Cloud) endpointsOf(base, service string) (at []string) {
	if c.leftOut[service] {
		return nil
	}
	if second := c.alsoAt[service]; second != "" {
		at = append(at, second+"/"+service)
	}
	return append(at, c.place(base, service))
}

// AddOlderNode puts a second API node of Nova or Cinder behind the address, which knows microversions up to this minor one only
// and answers every second request. 0 takes it away.
func (c *Cloud) AddOlderNode(service string, minor int) {
	c.lock()
	defer c.mu.Unlock()
	c.older[service] = minor
}

// highest is the newest microversion of the node that answers.
func (c *Cloud) highest(q *call, service string, newest int) int {
	if minor := c.older[service]; minor > 0 && q.turn%2 == 0 {
		return minor
	}
	return newest
}
