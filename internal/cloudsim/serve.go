package cloudsim

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// call is one request in the cloud.
type call struct {
	method  string
	path    string
	base    string // scheme and host of the client's URL: links and the catalog use them
	query   url.Values
	raw     string // the raw query, for links that keep its order
	header  http.Header
	body    []byte
	vars    map[string]string
	route   route
	tok     *token
	admin   bool // the token has the admin role in some project, which is valid for the whole cloud
	minor   int  // microversion
	marks   marks
	ordinal int // the number of the request among those to its service
}

// marks are the faults that apply to the backup of the request.
type marks struct {
	stick bool
	full  bool
	fail  *FailLater
}

const maxBody = 4 << 20

// ServeHTTP handles a request as OpenStack does.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "read body: "+err.Error(), http.StatusBadRequest)
		return
	}
	q := newCall(r, body)
	c.lock()
	status, gone := c.locate(q)
	if gone {
		c.mu.Unlock()
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		movedResponse(status).write(w)
		return
	}
	known := c.find(q)
	c.requestNumbers[q.route.service]++
	q.ordinal = c.requestNumbers[q.route.service]
	c.count(q, known)
	effects := c.fire(q, known)
	c.mu.Unlock()

	if !effects.before(r.Context()) {
		panic(http.ErrAbortHandler)
	}
	a := c.perform(q, known, effects).decorated(q, c)
	if !hold(r.Context(), effects.stallsAfter) {
		panic(http.ErrAbortHandler)
	}
	effects.write(w, a)
}

func newCall(r *http.Request, body []byte) *call {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if s := r.Header.Get("X-Forwarded-Proto"); s != "" {
		scheme = s
	}
	return &call{
		method: r.Method, path: r.URL.Path, base: scheme + "://" + r.Host,
		query: r.URL.Query(), raw: r.URL.RawQuery, header: r.Header, body: body, vars: map[string]string{},
	}
}

func (c *Cloud) count(q *call, known bool) {
	if known {
		c.counts[q.route.name()]++
		return
	}
	what := q.method + " " + q.path
	c.unknown = append(c.unknown, what)
	c.note(Event{Kind: UnknownRoute, Detail: what})
}

// perform executes the request, or returns the response of a fault.
func (c *Cloud) perform(q *call, known bool, e effects) response {
	c.lock()
	defer c.mu.Unlock()
	if e.refuse != nil {
		return e.refuse.response()
	}
	if !known {
		return response{status: http.StatusNotImplemented, raw: `{"cloudsim": {"code": 501, "message": ` +
			quote("no such route in this simulation: "+q.method+" "+q.path) + `}}`}
	}
	if a, refused := c.admit(q); refused {
		return a
	}
	if e.later != nil {
		c.after(e.later.After, func() { q.route.handle(c, q) })
		return response{}
	}
	return q.route.handle(c, q).encoded()
}

// decorated adds the headers that every service sends.
func (a response) decorated(q *call, c *Cloud) response {
	if a.header == nil {
		a.header = http.Header{}
	}
	if a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", "application/json")
	}
	c.mu.Lock()
	id := "req-" + c.ids.uuid()
	c.mu.Unlock()
	a.header.Set("X-Openstack-Request-Id", id)
	switch q.route.service {
	case simulator, keyManager:
	case identity:
		a.header.Set("Vary", "X-Auth-Token")
	case compute:
		a.header.Set("X-Compute-Request-Id", id)
		if a.status != http.StatusUnauthorized {
			a.header.Set("Openstack-Api-Version", "compute 2."+strconv.Itoa(q.minor))
			a.header.Set("X-Openstack-Nova-Api-Version", "2."+strconv.Itoa(q.minor))
			a.header.Set("Vary", "X-OpenStack-Nova-API-Version")
		}
	case blockStorage:
		if a.status != http.StatusUnauthorized {
			a.header.Set("X-Compute-Request-Id", id)
			a.header.Set("Openstack-Api-Version", "volume 3."+strconv.Itoa(q.minor))
			a.header.Set("Vary", "OpenStack-API-Version")
		}
	}
	return a
}

// encoded marshals the body while the lock still protects the objects in it.
func (a response) encoded() response {
	if a.body == nil {
		return a
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(a.body); err != nil {
		panic("cloudsim: encode response: " + err.Error()) // only our own structs
	}
	a.body, a.raw = nil, strings.TrimRight(b.String(), "\n")
	return a
}

func (a response) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	if a.status == http.StatusNoContent {
		w.Header().Del("Content-Type")
	} else {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.raw)))
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.raw) // the client may have closed the connection
}

// decode reads the property of the body with that name. An invalid body or a missing property is refused as by the schema
// check of Nova and Cinder.
func (q *call) decode(property string, into any) (response, bool) {
	var outer map[string]json.RawMessage
	if err := json.Unmarshal(q.body, &outer); err != nil {
		return badRequest("Malformed request body"), false
	}
	inner, ok := outer[property]
	if !ok {
		return badRequest("'" + property + "' is a required property"), false
	}
	if err := json.Unmarshal(inner, into); err != nil {
		return badRequest("Invalid input for field/attribute " + property + ". Value: " + pythonRepr(inner) + "."), false
	}
	return response{}, true
}

// isTrue accepts the true values of oslo_utils.strutils.
func isTrue(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "1", "t", "true", "on", "y", "yes":
		return true
	}
	return false
}

func isFalse(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "0", "f", "false", "off", "n", "no":
		return true
	}
	return false
}
