package openstack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack"
)

// ErrInvalidToken says that Keystone knows no such token, or that it is expired or revoked.
var ErrInvalidToken = errors.New("Keystone does not know the token, or it is expired or revoked")

// ErrSignIn says that Keystone refused user and password, or has no such project for them: it does not say which.
var ErrSignIn = errors.New("Keystone refused user, password or project")

// A Holder is whose a token is, as Keystone says.
type Holder struct {
	UserID, UserName       string
	ProjectID, ProjectName string // empty where the token is not of a project
	System                 bool   // it is of the whole system
	Roles                  []string
	Issued, Expires        time.Time // by Keystone's clock
}

// A Login is what somebody signs in with. Domains and the project are names or IDs; the project's domain is the user's
// where it is empty.
type Login struct{ User, Domain, Password, Project, ProjectDomain string }

// checkTimeout bounds one question to Keystone: somebody waits for its answer.
const checkTimeout = 10 * time.Second

// A Keystone checks tokens of others, each by its own right, and signs people in. It has no password, asks once and does
// not try again. It may be used by many goroutines.
type Keystone struct {
	http     http.Client
	identity string
}

// NewKeystone does not speak to Keystone: the first question does.
func NewKeystone(credentials Credentials, observe func(method, route string, status int)) (*Keystone, error) {
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

// Close lets go of the connections that are idle.
func (k *Keystone) Close() { k.http.CloseIdleConnections() }

// Validate tells whose a token is, asked for with that token: Keystone lets everybody ask for his own. It returns
// [ErrInvalidToken] where Keystone says so; any other error means that nobody knows.
func (k *Keystone) Validate(ctx context.Context, token string) (Holder, error) {
	if !sendable(token) {
		return Holder{}, ErrInvalidToken
	}
	response, err := k.send(ctx, http.MethodGet, "/auth/tokens?nocatalog", http.NoBody, http.Header{"X-Auth-Token": {token}, "X-Subject-Token": {token}})
	if err != nil {
		return Holder{}, fmt.Errorf("validate token: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // wire has read it; there is nothing below
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusNotFound:
		return Holder{}, ErrInvalidToken
	default:
		return Holder{}, fmt.Errorf("validate token: Keystone answered %d", response.StatusCode)
	}
	var said tokenAnswer
	if err := json.NewDecoder(response.Body).Decode(&said); err != nil {
		return Holder{}, fmt.Errorf("validate token: read answer: %w", err)
	}
	return said.holder()
}

// sendable tells whether a token can stand in a header; no token of Keystone's is longer.
func sendable(token string) bool {
	return token != "" && len(token) <= 8<<10 && !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })
}

// SignIn takes a token of the project for a user. It returns [ErrSignIn] where Keystone refuses.
func (k *Keystone) SignIn(ctx context.Context, l Login) (token string, holder Holder, err error) {
	body, err := json.Marshal(l.request())
	if err != nil {
		return "", Holder{}, fmt.Errorf("sign in: %w", err)
	}
	response, err := k.send(ctx, http.MethodPost, "/auth/tokens?nocatalog", bytes.NewReader(body), nil)
	if err != nil {
		return "", Holder{}, fmt.Errorf("sign in: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // wire has read it; there is nothing below
	switch response.StatusCode {
	case http.StatusCreated:
	case http.StatusUnauthorized, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound:
		return "", Holder{}, ErrSignIn
	default:
		return "", Holder{}, fmt.Errorf("sign in: Keystone answered %d", response.StatusCode)
	}
	var said tokenAnswer
	if err := json.NewDecoder(response.Body).Decode(&said); err != nil {
		return "", Holder{}, fmt.Errorf("sign in: read answer: %w", err)
	}
	if token = response.Header.Get("X-Subject-Token"); token == "" {
		return "", Holder{}, errors.New("sign in: Keystone answered no token")
	}
	holder, err = said.holder()
	return token, holder, err
}

// Revoke ends a token, by its own right.
func (k *Keystone) Revoke(ctx context.Context, token string) error {
	if !sendable(token) {
		return ErrInvalidToken
	}
	response, err := k.send(ctx, http.MethodDelete, "/auth/tokens", http.NoBody, http.Header{"X-Auth-Token": {token}, "X-Subject-Token": {token}})
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	_ = response.Body.Close() // wire has read it
	if response.StatusCode != http.StatusNoContent && response.StatusCode != http.StatusUnauthorized && response.StatusCode != http.StatusNotFound {
		return fmt.Errorf("revoke token: Keystone answered %d", response.StatusCode)
	}
	return nil
}
