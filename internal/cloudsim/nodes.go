package cloudsim

import (
	"net/http"
	"strings"
)

// Names of services for MoveService, LeaveOut, AddEndpoint and (except Barbican) AddOlderNode.
const (
	Nova     = "compute"
	Cinder   = "volume"
	Barbican = "key-manager"
)

// MoveService moves Nova, Cinder or Barbican to another path prefix, such as "/new", or to another address of this cloud, such
// as "http://127.0.0.1:8777". The catalog of tokens issued from now on has only the new endpoint. The old endpoint returns
// a status (404, 410, 503), or closes the connection if the status is 0. "" moves the service back.
func (c *Cloud) MoveService(service, address string, oldStatus int) {
	c.lock()
	defer c.mu.Unlock()
	c.movedServices[service] = moved{strings.TrimSuffix(address, "/"), oldStatus}
	c.note(Event{Kind: ServiceChanged, Detail: service + " moved to " + address})
}

type moved struct {
	address string
	status  int
}

// locate removes the prefix of a moved service from the path. For a request to the old endpoint it returns the status.
func (c *Cloud) locate(q *call) (status int, gone bool) {
	for service, m := range c.movedServices {
		if m.address == "" || strings.Contains(m.address, "://") && m.address == q.base {
			continue
		}
		if rest, at := strings.CutPrefix(q.path, m.address+"/"+service); at && (rest == "" || rest[0] == '/') {
			q.path, q.base = "/"+service+rest, q.base+m.address
			return 0, false
		}
		if rest, at := strings.CutPrefix(q.path, "/"+service); at && (rest == "" || rest[0] == '/') {
			return m.status, true
		}
	}
	return 0, false
}

// movedResponse is the response of a proxy at the old endpoint of a service.
func movedResponse(status int) response {
	return response{
		status: status, header: http.Header{"Content-Type": {"text/html"}},
		raw: "<html><head><title>" + http.StatusText(status) + "</title></head></html>",
	}
}

// endpoint returns the endpoint of a service for the catalog.
func (c *Cloud) endpoint(base, service string) string {
	address := c.movedServices[service].address
	if !strings.Contains(address, "://") {
		address = base + address
	}
	return address + "/" + service
}

// LeaveOut removes Nova, Cinder or Barbican from the catalog of tokens issued from now on, or adds it again. The service itself
// still responds.
func (c *Cloud) LeaveOut(service string, out bool) {
	c.lock()
	defer c.mu.Unlock()
	c.leftOut[service] = out
}

// AddEndpoint adds a second endpoint of Nova or Cinder in the same region, at another address of this cloud, to the catalog of
// tokens issued from now on. It is the first in the catalog. "" removes it.
func (c *Cloud) AddEndpoint(service, address string) {
	c.lock()
	defer c.mu.Unlock()
	c.alsoAt[service] = address
}

// endpointsOf returns the endpoints of a service for the catalog.
func (c *Cloud) endpointsOf(base, service string) (at []string) {
	if c.leftOut[service] {
		return nil
	}
	if second := c.alsoAt[service]; second != "" {
		at = append(at, second+"/"+service)
	}
	return append(at, c.endpoint(base, service))
}

// AddOlderNode adds a second API node of Nova or Cinder behind the address. It knows microversions only up to this minor one
// and handles every second request. 0 removes it.
func (c *Cloud) AddOlderNode(service string, minor int) {
	c.lock()
	defer c.mu.Unlock()
	c.older[service] = minor
}

// highest returns the newest microversion of the node that handles the request.
func (c *Cloud) highest(q *call, service string, newest int) int {
	if minor := c.older[service]; minor > 0 && q.ordinal%2 == 0 {
		return minor
	}
	return newest
}
