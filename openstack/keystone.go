package openstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack"
)

// ErrInvalidToken means that Keystone does not know the token, or that the token is expired or revoked.
var ErrInvalidToken = errors.New("Keystone does not know the token, or it is expired or revoked")

// ErrSignIn means that Keystone refused user and password, or has no such project for the user. Keystone does not report which.
var ErrSignIn = errors.New("Keystone refused user, password or project")

// A Holder is the owner of a token, as Keystone returns it.
type Holder struct {
	UserID, UserName       string
	ProjectID, ProjectName string // empty if the token is not scoped to a project
	System                 bool   // the token is scoped to the system
	Roles                  []string
	Issued, Expires        time.Time // by Keystone's clock
}

// A Login is a user's input when signing in. Domains and the project are names or IDs. An empty ProjectDomain means the
// user's domain.
type Login struct{ User, Domain, Password, Project, ProjectDomain string }

// checkTimeout limits one request to Keystone: a user waits for the response.
const checkTimeout = 10 * time.Second

// A Keystone validates other users' tokens, each with the token itself, and signs users in. It has no password and does not
// retry. It is safe for concurrent use.
type Keystone struct {
	http     http.Client
	identity string
}

// NewKeystone sends no request; the first call does.
func NewKeystone(credentials Credentials, observe Observer) (*Keystone, error) {
	client, err := openstack.NewClient(credentials.authURL)
	if err != nil {
		return nil, fmt.Errorf("prepare for Keystone: %w", err)
	}
	kept := newTransport(credentials.transport)
	fresh := kept.Clone()
	fresh.DisableKeepAlives = true
	k := &Keystone{
		http: http.Client{
			Transport:     &wire{kept: kept, fresh: fresh, timeout: checkTimeout, clock: wallClock(), observe: observe},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		identity: strings.TrimSuffix(client.IdentityBase, "/") + "/v3",
	}
	return k, nil
}

// Close closes the idle connections.
func (k *Keystone) Close() { k.http.CloseIdleConnections() }

// Validate returns the holder of a token. It authenticates with the same token: Keystone lets every user validate their own.
// It returns [ErrInvalidToken] if Keystone rejects the token; any other error means that the validity is unknown.
func (k *Keystone) Validate(ctx context.Context, token string) (Holder, error) {
	if !sendable(token) {
		return Holder{}, ErrInvalidToken
	}
	response, err := k.send(ctx, http.MethodGet, "/auth/tokens?nocatalog", http.NoBody, http.Header{"X-Auth-Token": {token}, "X-Subject-Token": {token}})
	if err != nil {
		return Holder{}, fmt.Errorf("validate token: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // wire has read the body; nothing is left to close
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusNotFound:
		return Holder{}, ErrInvalidToken
	default:
		return Holder{}, fmt.Errorf("validate token: Keystone returned %d", response.StatusCode)
	}
	var t tokenResponse
	if err := json.NewDecoder(response.Body).Decode(&t); err != nil {
		return Holder{}, fmt.Errorf("validate token: read response: %w", err)
	}
	return t.holder()
}

// sendable reports whether a token can be sent in a header. No token of Keystone is longer than 8 KiB.
func sendable(token string) bool {
	return token != "" && len(token) <= 8<<10 && !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })
}

// SignIn requests a token of the project for a user, or one without a scope if no project is given. It returns [ErrSignIn] if Keystone refuses.
func (k *Keystone) SignIn(ctx context.Context, l Login) (token string, holder Holder, err error) {
	body, err := json.Marshal(l.request())
	if err != nil {
		return "", Holder{}, fmt.Errorf("sign in: %w", err)
	}
	return k.issue(ctx, body)
}

// Revoke revokes a token, authenticated with the token itself.
func (k *Keystone) Revoke(ctx context.Context, token string) error {
	if !sendable(token) {
		return ErrInvalidToken
	}
	response, err := k.send(ctx, http.MethodDelete, "/auth/tokens", http.NoBody, http.Header{"X-Auth-Token": {token}, "X-Subject-Token": {token}})
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	_ = response.Body.Close() // wire has read the body
	if response.StatusCode != http.StatusNoContent && response.StatusCode != http.StatusUnauthorized && response.StatusCode != http.StatusNotFound {
		return fmt.Errorf("revoke token: Keystone returned %d", response.StatusCode)
	}
	return nil
}
