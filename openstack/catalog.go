package openstack

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/rs/zerolog"
)

// catalogPause is the shortest time between two tokens that are requested only to read the catalog. Without it, each call
// to a service that is down would request one.
const catalogPause = time.Minute

// catalog is the part of the service catalog that all scopes share. The admin project's endpoints are read first. The other
// projects have the same endpoints except for the project ID in them. They read their own catalog again when the admin
// project's endpoints change.
type catalog struct {
	sem chan struct{} // held while a token is requested to read the catalog

	mu         sync.Mutex
	read       time.Time // when the admin project's catalog was last read with a token requested for it
	generation int       // grows with each change of the admin project's endpoints
	verified   int       // the generation at the last VerifyAdmin
	silent     map[service]silentEndpoint
}

func (k *catalog) now() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.generation
}

// unchangedSinceCheck reports whether the endpoints are the same as at its last call.
func (k *catalog) unchangedSinceCheck() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	same := k.verified == k.generation
	k.verified = k.generation
	return same
}

// movedBy reports whether a catalog has a service only at endpoints other than the one in use. The catalog may come from
// Keystone's cache; the catalog of a new token decides.
func (c *Cloud) movedBy(entries []tokens.CatalogEntry) bool {
	return slices.ContainsFunc(catalogServices, func(of service) bool {
		urls, _ := c.credentials.candidates(entries, of) // an empty list does not show where the service is
		return len(urls) > 0 && !slices.Contains(urls, c.admin.base(of))
	})
}

// syncEndpoints makes s use the catalog of its newest token and the newest endpoints of the admin project.
func (c *Cloud) syncEndpoints(ctx context.Context, s *scope) {
	if t, err := s.token(); err == nil && t.id != s.located().token {
		_ = c.locate(ctx, s) // locate logs the error; the previous endpoints remain in use
	}
	if s == c.admin || s.located().generation == c.catalog.now() {
		return
	}
	generation := c.catalog.now()
	if !c.likeAdmin(s) {
		_ = c.locate(ctx, s) // its catalog may have several endpoints
	}
	if !c.likeAdmin(s) && !c.reread(ctx, s) {
		return
	}
	s.mu.Lock()
	s.found.generation = generation
	s.mu.Unlock()
}

// reread requests a new token for s and uses its catalog. After a failure it waits at least a minute.
func (c *Cloud) reread(ctx context.Context, s *scope) bool {
	knew, now := s.located(), c.clock.now()
	if !knew.read.IsZero() && now.Sub(knew.read) < catalogPause {
		return false
	}
	if s.client.Reauthenticate(ctx, knew.token) == nil && c.locate(ctx, s) == nil {
		return true
	}
	if ctx.Err() == nil {
		s.mu.Lock()
		s.found.read = now
		s.mu.Unlock()
	}
	return false
}

// likeAdmin reports whether s has the admin project's endpoints.
func (c *Cloud) likeAdmin(s *scope) bool {
	for _, of := range catalogServices {
		if !c.alikeAt(s, of) {
			return false
		}
	}
	return true
}

func (c *Cloud) alikeAt(s *scope, of service) bool {
	return alike(s.base(of), s.projectID, c.admin.base(of), c.admin.projectID)
}

// locate reads the catalog of the present token of s. If the catalog lacks a service, its previous endpoint remains in use;
// without a previous endpoint locate returns an error.
func (c *Cloud) locate(ctx context.Context, s *scope) error {
	t, err := s.token()
	if err != nil {
		return err
	}
	if t.projectID != s.projectID { // its endpoints would be another project's
		s.mu.Lock()
		s.found.token = t.id
		s.mu.Unlock()
		c.retrier.conditions.Met(zerolog.Ctx(ctx), zerolog.ErrorLevel, "token of "+s.projectID, t.projectID).
			Str("project_id", s.projectID).Str("token_project_id", t.projectID).
			Msg("new token is of another project, its catalog is not used; check OS_PROJECT_NAME and start again")
		return fmt.Errorf("read catalog: the new token is of project %q", t.projectID)
	}
	entries, err := s.catalog()
	if err != nil {
		return err
	}
	return c.applyCatalog(ctx, s, t.id, entries, nil)
}

// applyCatalog sets the endpoints of s from a catalog. failing are services that do not respond at their endpoint: if the
// catalog has several endpoints for one, the next one is used.
func (c *Cloud) applyCatalog(ctx context.Context, s *scope, token string, entries []tokens.CatalogEntry, failing map[service]bool) error {
	first := c.admin == nil
	c.catalog.mu.Lock()
	defer c.catalog.mu.Unlock()
	knew := s.located()
	at := maps.Clone(knew.at)
	if at == nil {
		at = map[service]string{}
	}
	var missing error
	for _, of := range catalogServices {
		choose := choice{present: knew.at[of], failing: failing[of]}
		if !first && s != c.admin {
			choose.like = func(u string) bool { return alike(u, s.projectID, c.admin.base(of), c.admin.projectID) }
		}
		url, err := choose.of(c.credentials.candidates(entries, of))
		switch {
		case err == nil:
			at[of] = url
			c.retrier.conditions.Over(zerolog.Ctx(ctx), "catalog "+of.String()).Stringer("service", of).Msg("service in the catalog again")
		case at[of] == "":
			missing = err
		default:
			c.retrier.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, "catalog "+of.String(), "").Err(err).Stringer("service", of).
				Str("endpoint", at[of]).Msg("service missing from the catalog, previous endpoint remains in use")
		}
	}
	if missing != nil {
		return missing
	}
	if urls, err := c.credentials.candidates(entries, barbican); err == nil {
		at[barbican], _ = choice{present: knew.at[barbican]}.of(urls, nil)
	}
	if s == c.admin && !maps.Equal(at, knew.at) {
		c.catalog.generation++
		for _, of := range catalogServices {
			if at[of] != knew.at[of] {
				zerolog.Ctx(ctx).Warn().Stringer("service", of).Str("from", knew.at[of]).Str("to", at[of]).Msg("endpoint changed, the new one is used")
			}
		}
		if at[cinder] != knew.at[cinder] {
			c.version.renew()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found.at, s.found.token = at, token
	s.found.secrets = s.found.secrets || hasSecrets(entries) // a catalog may lack Barbican for a moment; that must not endanger a secret
	if knew.at == nil && !first {
		s.found.generation = -1 // forces a comparison with the admin project's endpoints before the first use
	}
	return nil
}

// relocate reports whether a service is now at another endpoint than used, where it does not respond. It reads the catalog of
// a new token: first the admin project's, then the project's own.
func (c *Cloud) relocate(ctx context.Context, s *scope, of service, used string) bool {
	if s.base(of) != used {
		return true // another caller found the new endpoint meanwhile
	}
	select {
	case c.catalog.sem <- struct{}{}:
		defer func() { <-c.catalog.sem }()
	case <-ctx.Done():
		return false
	}
	if s.base(of) != used {
		return true
	}
	shared := s == c.admin || c.alikeAt(s, of)
	c.rereadAdmin(ctx, of, shared)
	if s != c.admin {
		c.syncEndpoints(ctx, s)
		if !shared && s.base(of) == used && c.reread(ctx, s) { // it has its own endpoint
			s.mu.Lock()
			s.found.read = c.clock.now()
			s.mu.Unlock()
		}
	}
	return s.base(of) != used
}

// rereadAdmin requests a new token of the admin project and uses its catalog.
func (c *Cloud) rereadAdmin(ctx context.Context, of service, failing bool) {
	now := c.clock.now()
	c.catalog.mu.Lock()
	last := c.catalog.read
	due := last.IsZero() || now.Sub(last) >= catalogPause
	if due {
		c.catalog.read = now
	}
	c.catalog.mu.Unlock()
	if !due {
		return
	}
	if err := c.admin.client.Reauthenticate(ctx, c.admin.located().token); err != nil {
		if ctx.Err() != nil { // the next caller does it
			c.catalog.mu.Lock()
			c.catalog.read = last
			c.catalog.mu.Unlock()
		}
		return
	}
	t, err := c.admin.token()
	if err != nil || t.projectID != c.admin.projectID {
		_ = c.locate(ctx, c.admin) // locate logs that the token is of another project
		return
	}
	if entries, err := c.admin.catalog(); err == nil {
		_ = c.applyCatalog(ctx, c.admin, t.id, entries, map[service]bool{of: failing})
	}
}
