package openstack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"staffeln/backup"
)

// A scope is the cloud as one project sees it: a client whose token is of that
// project and of no other, for as long as it lives.
type scope struct {
	projectID string
	client    *gophercloud.ProviderClient
	identity  string // Keystone's URL, without a slash at the end

	clock clock
	mu    sync.Mutex
	seen  token // the newest token that was looked into
	found found
}

// found is what a scope knows of the catalog.
type found struct {
	at         map[service]string // without a slash at the end; replaced, never changed
	secrets    bool               // the cloud has a Barbican
	token      string             // whose catalog was read
	generation int                // of the admin project's endpoints that these go with
	read       time.Time          // when a token was taken to read its catalog
}

// A token is what Keystone says that our token is.
type token struct {
	id        string
	projectID string
	userID    string
	roles     []string
	ends      time.Time // on our own clock
	life      time.Duration
}

// newScope asks Keystone for a token of that scope, and looks for the services
// in its catalog.
func (c *Cloud) newScope(ctx context.Context, r request, project gophercloud.AuthScope) (*scope, *backup.CloudError) {
	client, err := c.credentials.authenticated(ctx, c.gate, c.http, project)
	if err != nil {
		return nil, r.faultOf(project.ProjectID, err, c.clock.now())
	}
	s := &scope{client: client, clock: c.clock, identity: strings.TrimSuffix(client.IdentityBase, "/") + "/v3"}
	if err := s.settle(project.ProjectID); err != nil {
		return nil, r.refuse(project.ProjectID, backup.MeansRefused, err.Error())
	}
	if err := c.locate(ctx, s); err != nil {
		meaning := backup.MeansRefused
		if c.admin != nil { // others' catalogs are right: this one will be
			meaning = backup.MeansUnavailable
		}
		return nil, r.refuse(project.ProjectID, meaning, err.Error())
	}
	return s, nil
}

// settle notes what stays the same for all tokens of this scope.
func (s *scope) settle(wanted string) error {
	t, err := s.token()
	if err != nil {
		return err
	}
	if t.projectID == "" || (wanted != "" && t.projectID != wanted) {
		return fmt.Errorf("asked for a token of project %q, got one of %q", wanted, t.projectID)
	}
	s.projectID = t.projectID
	return nil
}

// base returns where a service is, without a slash at the end.
func (s *scope) base(of service) string {
	if of == keystone {
		return s.identity
	}
	return s.knows().at[of]
}

func (s *scope) knows() found {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found
}

func (s *scope) hasSecrets() bool { return s.knows().secrets }

// catalog is the one that came with the client's present token.
func (s *scope) catalog() ([]tokens.CatalogEntry, error) {
	result, ok := s.client.GetAuthResult().(tokens.CreateResult)
	if !ok {
		return nil, errors.New("the client has no token")
	}
	catalog, err := result.ExtractServiceCatalog()
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	return catalog.Entries, nil
}

// token looks into the client's present token.
func (s *scope) token() (token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := s.client.Token(); id == s.seen.id {
		return s.seen, nil
	}
	result, ok := s.client.GetAuthResult().(tokens.CreateResult)
	if !ok {
		return token{}, errors.New("the client has no token")
	}
	id, err := result.ExtractTokenID()
	if err != nil {
		return token{}, err
	}
	var t struct {
		Project struct{ ID string }
		User    struct{ ID string }
		Roles   []struct{ Name string }
		Issued  time.Time `json:"issued_at"`
		Expires time.Time `json:"expires_at"`
	}
	if err := result.ExtractInto(&t); err != nil {
		return token{}, fmt.Errorf("read token: %w", err)
	}
	s.seen = token{id: id, projectID: t.Project.ID, userID: t.User.ID, life: t.Expires.Sub(t.Issued)}
	// Counted from now on our own clock: the cloud's may be off.
	s.seen.ends = s.clock.now().Add(s.seen.life)
	for _, r := range t.Roles {
		s.seen.roles = append(s.seen.roles, r.Name)
	}
	return s.seen, nil
}

// mustBelongTo refuses where the scope's token is not of that project. It is
// asked before everything that changes something.
func (s *scope) mustBelongTo(projectID string, r request) error {
	t, err := s.token()
	if err == nil && projectID != "" && t.projectID == projectID && s.projectID == projectID {
		return nil
	}
	fault := r.refuse(projectID, backup.MeansRefused, fmt.Sprintf("our token is of project %q", t.projectID))
	fault.Err = err
	return fault
}

// hasRole tells whether the token has one of these roles. Keystone compares
// their names without regard to case.
func (t token) hasRole(names ...string) bool {
	return slices.ContainsFunc(t.roles, func(have string) bool {
		return slices.ContainsFunc(names, func(want string) bool { return strings.EqualFold(have, strings.TrimSpace(want)) })
	})
}

// margin is how long before its end a token is renewed: Cinder goes on working
// with it after its answer.
const margin = 5 * time.Minute

// renewBeforeItEnds renews a token that is about to end. It may fail: then the
// old one is still good, or the 401 it brings leads to the next renewal.
func (s *scope) renewBeforeItEnds(ctx context.Context) {
	t, err := s.token()
	if err != nil || t.life <= 0 || s.clock.now().Before(t.ends.Add(-min(margin, t.life/4))) {
		return
	}
	_ = s.client.Reauthenticate(ctx, t.id) // see above; wire has logged it
}

// renew takes a new token whatever the old one is. The error is gophercloud's.
func (s *scope) renew(ctx context.Context) error { return s.client.Reauthenticate(ctx, "") }
