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

// A request is one thing asked of the cloud.
type request struct {
	op     string // "create backup", for errors
	object string // the ID, or what else names the object after op
	id     string // of the object: a 404 has to name it to count

	method  string
	service service
	path    string // after the service's endpoint
	root    bool   // instead of path: where Cinder tells its versions
	headers map[string]string
	body    any
	needs   int  // the least minor microversion of Cinder that knows all of body
	minor   *int // is set to the one at which the answer was given
	// idempotent: a POST that may be executed twice: a new token
	idempotent bool
	once       bool // never tried again
	large      bool // a page: not tried again where a smaller one may do
	first      bool // of all requests: not repeated where that is hopeless
	// decode reads a good answer. Its error makes the answer garbage.
	decode func(body []byte) error
}

// good are the codes of an answer that is read, done those of an answer that
// says only that it is so: a 200 there is somebody else's page.
var (
	good = []int{http.StatusOK, http.StatusCreated, http.StatusAccepted}
	done = []int{http.StatusAccepted, http.StatusNoContent}
)

// do asks, with the scope's token: renewed where it is about to end, and once
// more where the cloud refuses it. The error is a [*backup.CloudError].
func (c *Cloud) do(ctx context.Context, s *scope, r request) error {
	err := c.retrier.try(ctx, r, func() *backup.CloudError {
		s.renewBeforeItEnds(ctx)
		return c.attempt(ctx, s, r)
	})
	// Keystone refused the project's new token; a service's refusal of a good one
	// needs no explaining.
	var renewal *renewalError
	if backup.Means(err, backup.MeansUnauthorised) && errors.As(err, &renewal) {
		return c.explainRefusal(ctx, s.projectID, err)
	}
	return err
}

// sendings is how often one attempt sends its request at most: to another place,
// or at a lower microversion, than was refused.
const sendings = 4

// attempt sends r. Where the cloud has changed under us, it sends it at once
// again: to where the catalog has the service now, or at a microversion that the
// older API node knows. What may have been executed already it does not repeat.
func (c *Cloud) attempt(ctx context.Context, s *scope, r request) *backup.CloudError {
	unknown := false
	for n := 1; ; n++ {
		c.current(ctx, s)
		if r.service == cinder && !r.root {
			c.negotiateAgain(ctx)
		}
		aimed := c.aim(s, r)
		if aimed.minor < r.needs {
			return r.refuse(s.projectID, backup.MeansUnavailable, fmt.Sprintf(
				"an API node of Cinder knows the microversion 3.%d only, this request needs 3.%d: it waits until that node is upgraded or stopped", aimed.minor, r.needs))
		}
		fault := c.send(ctx, s, r, aimed)
		if fault == nil {
			c.answers(ctx, r.service)
			return nil
		}
		unknown = unknown || fault.Unknown
		fault.Unknown = unknown
		if ctx.Err() != nil || r.service == keystone || r.service == barbican { // the next token tells where Barbican is
			return fault
		}
		changed := false
		switch {
		case fault.Status == http.StatusNotAcceptable:
			changed = aimed.minor > 0 && c.lower(ctx, aimed.minor, fault)
		case astray(fault):
			if changed = c.relocate(ctx, s, r.service, aimed.base); !changed {
				c.silent(ctx, r.service, aimed.base, fault)
			}
		}
		if !changed || n == sendings || unknown && !r.repeatable() {
			return fault
		}
	}
}

// An aim is where a request is sent, and how.
type aim struct {
	base, url string
	minor     int // of Cinder's microversion; 0: none is asked for
}

func (c *Cloud) aim(s *scope, r request) aim {
	a := aim{base: s.base(r.service)}
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
func (c *Cloud) send(ctx context.Context, s *scope, r request, to aim) *backup.CloudError {
	options := &gophercloud.RequestOpts{
		JSONBody: r.body, OkCodes: good, MoreHeaders: maps.Clone(r.headers),
		KeepResponseBody: true, // to have status and request ID of what can't be decoded
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
	if err != nil && ctx.Err() == nil && othersEnd(err) {
		resp, err = s.client.Request(ctx, r.method, to.url, options)
	}
	if err != nil {
		return r.faultOf(s.projectID, err, c.clock.now())
	}
	defer resp.Body.Close() //nolint:errcheck // wire has read it; there is nothing below
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

// othersEnd tells whether err is the end of somebody else's context: of many
// callers that wait for a new token, the first one's is used to get it.
func othersEnd(err error) bool {
	var renewal *gophercloud.ErrUnableToReauthenticate
	return errors.As(err, &renewal) &&
		(errors.Is(renewal.ErrReauth, context.Canceled) || errors.Is(renewal.ErrReauth, context.DeadlineExceeded))
}
