package openstack

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/gophercloud/gophercloud/v2"

	"staffeln/backup"
)

// A request is one thing asked of the cloud.
type request struct {
	op     string // "create backup", for errors
	object string // the ID, or what else names the object after op
	id     string // of the object: a 404 has to name it to count

	method, url string
	headers     map[string]string
	body        any
	idempotent  bool // a POST that may be executed twice: a new token
	once        bool // never tried again
	large       bool // a page: not tried again where a smaller one may do
	first       bool // of all requests: not repeated where that is hopeless
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
	err := c.patience.try(ctx, r, func() *backup.CloudError {
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

// attempt sends r once.
func (c *Cloud) attempt(ctx context.Context, s *scope, r request) *backup.CloudError {
	options := &gophercloud.RequestOpts{
		JSONBody: r.body, OkCodes: good, MoreHeaders: r.headers,
		KeepResponseBody: true, // to have status and request ID of what can't be decoded
	}
	if r.decode == nil {
		options.OkCodes = done
	}
	resp, err := s.client.Request(ctx, r.method, r.url, options)
	if err != nil && ctx.Err() == nil && othersEnd(err) {
		resp, err = s.client.Request(ctx, r.method, r.url, options)
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
	return nil
}

// othersEnd tells whether err is the end of somebody else's context: of many
// callers that wait for a new token, the first one's is used to get it.
func othersEnd(err error) bool {
	var renewal *gophercloud.ErrUnableToReauthenticate
	return errors.As(err, &renewal) &&
		(errors.Is(renewal.ErrReauth, context.Canceled) || errors.Is(renewal.ErrReauth, context.DeadlineExceeded))
}

// volumeRequest is a request to Cinder in the scope's own project, at the
// microversion that was negotiated.
func (c *Cloud) volumeRequest(s *scope, method, path string) request {
	return request{method: method, url: s.volume + path, headers: c.volumeHeaders()}
}

func (c *Cloud) volumeHeaders() map[string]string {
	return map[string]string{"OpenStack-API-Version": "volume 3." + c.minor()}
}
