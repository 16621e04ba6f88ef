package openstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"

	"github.com/gophercloud/gophercloud/v2"

	"staffeln/backup"
)

// A request is one API request to the cloud.
type request struct {
	op     string // for errors, for example "create backup"
	object string // the ID or another description of the object, follows op in errors
	id     string // of the object; a 404 counts as "not found" only if it names this ID

	method  string
	service service
	path    string // after the service's endpoint
	root    bool   // if set, the request is sent to Cinder's version document instead of path
	headers map[string]string
	body    any
	needs   int  // the lowest minor microversion of Cinder that knows all of body
	minor   *int // if not nil, set to the minor microversion of the response
	// idempotent marks a POST that may be executed twice, such as a request for a token.
	idempotent bool
	once       bool // no retries
	large      bool // a large page: no retry if a smaller page may work
	first      bool // the first request of all: no retry if it can't succeed (misconfigured)
	// decode reads the body of a successful response. An error from decode makes the response garbled.
	decode func(body []byte) error
}

// good are the status codes of a response with a body to read. done are those of a response without one: there a 200 is a
// page from something other than the service.
var (
	good = []int{http.StatusOK, http.StatusCreated, http.StatusAccepted}
	done = []int{http.StatusAccepted, http.StatusNoContent}
)

// do sends r with the scope's token. It renews the token before the token expires, and once more if the cloud rejects it.
// The error is a [*backup.CloudError].
func (c *Cloud) do(ctx context.Context, s *scope, r request) error {
	if c.reading && r.method != http.MethodGet && r.method != http.MethodHead {
		return r.refuse(s.projectID, backup.MeansUnavailable, "not sent: STAFFELN_DRY_RUN is set for this process, which changes nothing in Cinder")
	}
	err := c.retrier.try(ctx, r, func() *backup.CloudError {
		s.renewBeforeExpiry(ctx)
		return c.attempt(ctx, s, r)
	})
	// Here Keystone refused a new token for the project. A service that refuses a valid token needs no explanation.
	var renewal *renewalError
	if backup.Means(err, backup.MeansUnauthorised) && errors.As(err, &renewal) {
		return c.explainRefusal(ctx, s.projectID, err)
	}
	return err
}

// maxSends is how many times one attempt sends its request at most: after each refusal to another endpoint or at a lower
// microversion.
const maxSends = 4

// attempt sends r. If an endpoint moved or an API node is older, it sends r again at once: to the endpoint that the catalog
// has now, or at a microversion that the older node knows. It does not repeat what may have been executed.
func (c *Cloud) attempt(ctx context.Context, s *scope, r request) *backup.CloudError {
	unknown := false
	for n := 1; ; n++ {
		c.syncEndpoints(ctx, s)
		if r.service == cinder && !r.root {
			c.negotiateAgain(ctx)
		}
		dest := c.destinationOf(s, r)
		if dest.minor < r.needs {
			return r.refuse(s.projectID, backup.MeansUnavailable, fmt.Sprintf(
				"an API node of Cinder knows the microversion 3.%d only, this request needs 3.%d: it waits until that node is upgraded or stopped", dest.minor, r.needs))
		}
		fault := c.send(ctx, s, r, dest)
		if fault == nil {
			c.markResponding(ctx, r.service)
			return nil
		}
		unknown = unknown || fault.Unknown
		fault.Unknown = unknown
		if ctx.Err() != nil || r.service == keystone || r.service == barbican { // the catalog of the next token has Barbican's endpoint
			return fault
		}
		changed := false
		switch {
		case fault.Status == http.StatusNotAcceptable:
			changed = dest.minor > 0 && c.lower(ctx, dest.minor, fault)
		case maybeMoved(fault):
			if changed = c.relocate(ctx, s, r.service, dest.base); !changed {
				c.markSilent(ctx, r.service, dest.base, fault)
			}
		}
		if !changed || n == maxSends || unknown && !r.repeatable() {
			return fault
		}
	}
}

// A destination is where a request is sent, and at which microversion.
type destination struct {
	base, url string
	minor     int // Cinder's minor microversion; 0: none is requested
}

func (c *Cloud) destinationOf(s *scope, r request) destination {
	a := destination{base: s.base(r.service)}
	a.url = a.base + r.path
	switch {
	case r.root:
		a.url = root(a.base)
	case r.service == cinder:
		a.minor = c.version.now()
	}
	return a
}

// send sends r once.
func (c *Cloud) send(ctx context.Context, s *scope, r request, to destination) *backup.CloudError {
	options := &gophercloud.RequestOpts{
		JSONBody: r.body, OkCodes: good, MoreHeaders: maps.Clone(r.headers),
		KeepResponseBody: true, // for the status and the request ID of a response that can't be decoded
	}
	if r.decode == nil {
		options.OkCodes = done
	}
	if to.minor > 0 {
		if options.MoreHeaders == nil {
			options.MoreHeaders = map[string]string{}
		}
		options.MoreHeaders["OpenStack-API-Version"] = "volume 3." + strconv.Itoa(to.minor)
	}
	resp, err := s.client.Request(ctx, r.method, to.url, options)
	if err != nil && ctx.Err() == nil && cancelledByOther(err) {
		resp, err = s.client.Request(ctx, r.method, to.url, options)
	}
	if err != nil {
		return r.faultOf(s.projectID, err, c.clock.now())
	}
	defer resp.Body.Close() //nolint:errcheck // wire has read the body; nothing is left to close
	body, err := io.ReadAll(resp.Body)
	if err == nil && r.decode != nil {
		err = r.decode(body)
	}
	if err != nil {
		return r.garbled(s.projectID, resp, err)
	}
	if r.minor != nil {
		*r.minor = to.minor
	}
	return nil
}

// cancelledByOther reports whether err comes from another caller's context. If many callers wait for a new token, the
// context of the first one is used to get it.
func cancelledByOther(err error) bool {
	var renewal *gophercloud.ErrUnableToReauthenticate
	return errors.As(err, &renewal) &&
		(errors.Is(renewal.ErrReauth, context.Canceled) || errors.Is(renewal.ErrReauth, context.DeadlineExceeded))
}
