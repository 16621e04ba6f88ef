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

// maybeMoved reports whether the service did not respond, or something other than the service did. The service may no
// longer be at this endpoint.
func maybeMoved(fault *backup.CloudError) bool {
	var code gophercloud.ErrUnexpectedResponseCode
	switch {
	case errors.As(fault.Err, new(*renewalError)):
		return false // Keystone failed, not the service
	case errors.As(fault.Err, &code):
		return code.Actual == http.StatusBadGateway || code.Actual == http.StatusServiceUnavailable || code.Actual == http.StatusGatewayTimeout ||
			foreignResponse(code)
	case errors.As(fault.Err, new(*wireError)):
		return true
	}
	return fault.Status != 0 && fault.Status < http.StatusMultipleChoices // not a response of the service
}

// foreignResponse reports whether the response comes from something other than an OpenStack service, which does not know the
// path or redirects us.
func foreignResponse(code gophercloud.ErrUnexpectedResponseCode) bool {
	switch code.Actual {
	case http.StatusUnauthorized, http.StatusNotAcceptable, http.StatusTooManyRequests, 498:
		return false // does not show where the service is
	}
	_, own := faultOf(code.Actual, code.Body)
	return !own
}

// serviceAbsent reports whether the service is certainly not at this endpoint: no connection, or a foreign response. An
// overloaded or broken service is not absent.
func serviceAbsent(fault *backup.CloudError) bool {
	var code gophercloud.ErrUnexpectedResponseCode
	var wire *wireError
	switch {
	case errors.As(fault.Err, &code):
		return code.Actual < http.StatusInternalServerError && foreignResponse(code)
	case errors.As(fault.Err, &wire):
		return wire.unsent
	}
	return false
}

// A silentEndpoint is the endpoint of a service that does not respond.
type silentEndpoint struct {
	since  time.Time
	logged bool // it has not responded for catalogPause or longer
	reason string
}

func conditionSilent(of service) string { return "endpoint of " + of.String() }

// markSilent records that the service does not respond at this endpoint and that the catalog has no other one. A response to
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
	l.reason = fmt.Sprintf("%s does not respond at %s, and the catalog has no other endpoint: %s", of, base, fault.Error())
	if c.catalog.silent == nil {
		c.catalog.silent = map[service]silentEndpoint{}
	}
	c.catalog.silent[of] = l
	c.catalog.mu.Unlock()
	if l.logged {
		c.retrier.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, conditionSilent(of), "").Err(fault).Stringer("service", of).
			Str("endpoint", base).Msg("service does not respond at its endpoint, and the catalog has no other")
	}
}

// markResponding records that the service responded.
func (c *Cloud) markResponding(ctx context.Context, of service) {
	c.catalog.mu.Lock()
	l := c.catalog.silent[of]
	delete(c.catalog.silent, of)
	c.catalog.mu.Unlock()
	if l.logged {
		c.retrier.conditions.Over(zerolog.Ctx(ctx), conditionSilent(of)).Stringer("service", of).Msg("service responds at its endpoint again")
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

// EndpointsRespond returns an error while Cinder or Nova does not respond at the endpoint in the catalog. It sends no request.
func (c *Cloud) EndpointsRespond() error {
	c.catalog.mu.Lock()
	defer c.catalog.mu.Unlock()
	for _, of := range catalogServices {
		if l := c.catalog.silent[of]; l.logged {
			return fmt.Errorf("reach %s: since %s: %s", of, l.since.UTC().Format(time.RFC3339), l.reason)
		}
	}
	return nil
}
