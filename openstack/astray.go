package openstack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/rs/zerolog"

	"staffeln/backup"
)

// maybeMoved reports whether the service did not answer, or something other than the service did. The service may no
// longer be at this endpoint.
func maybeMoved(fault *backup.CloudError) bool {
	var code gophercloud.ErrUnexpectedResponseCode
	switch {
	case errors.As(fault.Err, new(*renewalError)):
		return false // Keystone failed, not the service
	case errors.As(fault.Err, &code):
		return code.Actual == http.StatusBadGateway || code.Actual == http.StatusServiceUnavailable || code.Actual == http.StatusGatewayTimeout ||
			foreignAnswer(code)
	case errors.As(fault.Err, new(*wireError)):
		return true
	}
	return fault.Status != 0 && fault.Status < http.StatusMultipleChoices // not an answer of the service
}

// foreignAnswer reports whether the answer comes from something other than an OpenStack service, which does not know the
// path or redirects us.
func foreignAnswer(code gophercloud.ErrUnexpectedResponseCode) bool {
	switch code.Actual {
	case http.StatusUnauthorized, http.StatusNotAcceptable, http.StatusTooManyRequests, 498:
		return false // says nothing about where the service is
	}
	_, own := faultOf(code.Actual, code.Body)
	return !own
}

// serviceAbsent reports whether the service is certainly not at this endpoint: no connection, or a foreign answer. An
// overloaded or broken service is not absent.
func serviceAbsent(fault *backup.CloudError) bool {
	var code gophercloud.ErrUnexpectedResponseCode
	var wire *wireError
	switch {
	case errors.As(fault.Err, &code):
		return code.Actual < http.StatusInternalServerError && foreignAnswer(code)
	case errors.As(fault.Err, &wire):
		return wire.unsent
	}
	return false
}

// A silentEndpoint is the endpoint of a service that does not answer.
type silentEndpoint struct {
	since  time.Time
	logged bool // it has been silent for catalogPause or longer
	reason string
}

func conditionSilent(of service) string { return "endpoint of " + of.String() }

// markSilent records that the service does not answer at this endpoint and that the catalog has no other one. An answer to
// any other request ends the condition.
func (c *Cloud) markSilent(ctx context.Context, of service, base string, fault *backup.CloudError) {
	if !serviceAbsent(fault) || ctx.Err() != nil {
		return
	}
	now := c.clock.now()
	c.catalog.mu.Lock()
	l, known := c.catalog.silent[of]
	if !known {
		l.since = now
	}
	l.logged = now.Sub(l.since) >= catalogPause
	l.reason = fmt.Sprintf("%s does not answer at %s, and the catalog has no other endpoint: %s", of, base, fault.Error())
	if c.catalog.silent == nil {
		c.catalog.silent = map[service]silentEndpoint{}
	}
	c.catalog.silent[of] = l
	c.catalog.mu.Unlock()
	if l.logged {
		c.retrier.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, conditionSilent(of), "").Err(fault).Stringer("service", of).
			Str("endpoint", base).Msg("service does not answer at its endpoint, and the catalog has no other")
	}
}

// markAnswering records that the service answered.
func (c *Cloud) markAnswering(ctx context.Context, of service) {
	c.catalog.mu.Lock()
	l := c.catalog.silent[of]
	delete(c.catalog.silent, of)
	c.catalog.mu.Unlock()
	if l.logged {
		c.retrier.conditions.Over(zerolog.Ctx(ctx), conditionSilent(of)).Stringer("service", of).Msg("service answers at its endpoint again")
	}
}

// Troubles returns the present findings about the cloud's API nodes and endpoints. It sends no request.
func (c *Cloud) Troubles() (found []backup.Finding) {
	if minor, best, older := c.version.olderNode(); older {
		found = append(found, backup.Finding{
			Reason: backup.OlderAPINode, Object: cinder.String(),
			Detail: fmt.Sprintf("an API node of Cinder refused the microversion 3.%d within the last hours; 3.%d is used", best, minor),
		})
	}
	c.catalog.mu.Lock()
	defer c.catalog.mu.Unlock()
	for _, of := range catalogServices {
		if l := c.catalog.silent[of]; l.logged {
			found = append(found, backup.Finding{Reason: backup.EndpointSilent, Object: of.String(), Detail: l.reason})
		}
	}
	return found
}

// EndpointsAnswer returns an error while Cinder or Nova does not answer at the endpoint in the catalog. It sends no request.
func (c *Cloud) EndpointsAnswer() error {
	c.catalog.mu.Lock()
	defer c.catalog.mu.Unlock()
	for _, of := range catalogServices {
		if l := c.catalog.silent[of]; l.logged {
			return fmt.Errorf("reach %s: since %s: %s", of, l.since.UTC().Format(time.RFC3339), l.reason)
		}
	}
	return nil
}
