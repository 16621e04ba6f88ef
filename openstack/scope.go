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

// A scope is the cloud as one project sees it: a client whose tokens are always of that one project.
type scope struct {
	projectID string
	client    *gophercloud.ProviderClient
	identity  string // Keystone's URL, without a slash at the end

	clock clock
	mu    sync.Mutex
	seen  token // the newest token that was parsed
	found found
}

// found is what a scope knows from the catalog.
type found struct {
	at         map[service]string // without a slash at the end; replaced, never changed
	secrets    bool               // the cloud has a Barbican
	token      string             // ID of the token whose catalog was read
	generation int                // generation of the admin project's endpoints that these match
	read       time.Time          // when a token was requested to read its catalog
}

// A token is Keystone's data about our token.
type token struct {
	id        string
	projectID string
	userID    string
	roles     []string
	ends      time.Time // by our own clock
	life      time.Duration
}

// newScope requests a token of that project and finds the services in its catalog.
func (c *Cloud) newScope(ctx context.Context, r request, project gophercloud.AuthScope) (*scope, *backup.CloudError) {
	client, err := c.credentials.authenticated(ctx, c.gate, c.http, project)
	if err != nil {
		return nil, r.faultOf(project.ProjectID, err, c.clock.now())
	}
	s := &scope{client: client, clock: c.clock, identity: strings.TrimSuffix(client.IdentityBase, "/") + "/v3"}
	if err := s.bindProject(project.ProjectID); err != nil {
		return nil, r.refuse(project.ProjectID, backup.MeansRefused, err.Error())
	}
	if err := c.locate(ctx, s); err != nil {
		meaning := backup.MeansRefused
		if c.admin != nil { // other projects' catalogs are complete, so this one will be later
			meaning = backup.MeansUnavailable
		}
		return nil, r.refuse(project.ProjectID, meaning, err.Error())
	}
	return s, nil
}

// bindProject stores the project, which is the same for all tokens of this scope.
func (s *scope) bindProject(wanted string) error {
	t, err := s.token()
	if err != nil {
		return err
	}
	if t.projectID == "" || (wanted != "" && t.projectID != wanted) {
		return fmt.Errorf("requested a token of project %q, got one of %q", wanted, t.projectID)
	}
	s.projectID = t.projectID
	return nil
}

// base returns the endpoint of a service, without a slash at the end.
func (s *scope) base(of service) string {
	if of == keystone {
		return s.identity
	}
	return s.located().at[of]
}

func (s *scope) located() found {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found
}

func (s *scope) hasSecrets() bool { return s.located().secrets }

// catalog returns the catalog that came with the client's present token.
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

// token returns the data of the client's present token.
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
	// Counted from now on our own clock: the cloud's clock may be wrong.
	s.seen.ends = s.clock.now().Add(s.seen.life)
	for _, r := range t.Roles {
		s.seen.roles = append(s.seen.roles, r.Name)
	}
	return s.seen, nil
}

// mustBelongTo returns an error if the scope's token is not of that project. It is called before every change in the cloud.
func (s *scope) mustBelongTo(projectID string, r request) error {
	t, err := s.token()
	if err == nil && projectID != "" && t.projectID == projectID && s.projectID == projectID {
		return nil
	}
	fault := r.refuse(projectID, backup.MeansRefused, fmt.Sprintf("our token is of project %q", t.projectID))
	fault.Err = err
	return fault
}

// hasRole reports whether the token has one of these roles. Keystone compares role names without regard to case.
func (t token) hasRole(names ...string) bool {
	return slices.ContainsFunc(t.roles, func(have string) bool {
		return slices.ContainsFunc(names, func(want string) bool { return strings.EqualFold(have, strings.TrimSpace(want)) })
	})
}

// renewMargin is how long before its expiry a token is renewed: Cinder uses the token even after its response.
const renewMargin = 5 * time.Minute

// renewBeforeExpiry renews a token that is about to expire. If that fails, the old token is still valid, or the 401 that it
// gets leads to the next renewal.
func (s *scope) renewBeforeExpiry(ctx context.Context) {
	t, err := s.token()
	if err != nil || t.life <= 0 || s.clock.now().Before(t.ends.Add(-min(renewMargin, t.life/4))) {
		return
	}
	_ = s.client.Reauthenticate(ctx, t.id) // see above; wire has logged the error
}

// renew requests a new token in any case. The error is gophercloud's.
func (s *scope) renew(ctx context.Context) error { return s.client.Reauthenticate(ctx, "") }
