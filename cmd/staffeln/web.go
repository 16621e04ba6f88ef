package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rs/zerolog"

	"staffeln/api/web"
	"staffeln/backup"
	"staffeln/cli"
	"staffeln/db"
	"staffeln/internal/config"
	"staffeln/openstack"
)

// openWeb returns the read API and its pages, or nil if no cloud is configured, because Keystone authorises their users. It
// sends no request: the delete check has to work without Keystone.
func openWeb(ctx context.Context, cfg web.Config, set backup.Settings, database *db.DB, d dependencies) (*web.Handler, error) {
	if os.Getenv("OS_AUTH_URL") == "" && os.Getenv("OS_CLOUD") == "" {
		zerolog.Ctx(ctx).Info().Msg("no cloud is configured by OS_*: the read API and its pages are off")
		return nil, nil //nolint:nilnil // it is off
	}
	credentials, err := openstack.AddressFromEnv(os.Getenv)
	if err != nil {
		return nil, cli.UsageError{Cause: fmt.Errorf("cloud credentials refused:\n%w", err)}
	}
	keystone, err := openstack.NewKeystone(credentials, d.metrics.CloudRequest)
	if err != nil {
		return nil, err
	}
	return web.New(cfg, web.Deps{
		DB: database, Keystone: tokenCheck{keystone}, ServiceUser: func(l web.Login) bool { return credentials.Is(loginOf(l)) }, Settings: set, Given: config.IsSet,
		Now: time.Now, //nolint:forbidigo // Keystone's tokens expire by real time
	}), nil
}

// tokenCheck adapts the Keystone client to what the pages need.
type tokenCheck struct{ keystone *openstack.Keystone }

// Validate implements [web.Keystone].
func (t tokenCheck) Validate(ctx context.Context, token string) (web.Holder, error) {
	h, err := t.keystone.Validate(ctx, token)
	if errors.Is(err, openstack.ErrInvalidToken) {
		return web.Holder{}, web.ErrInvalidToken
	}
	return identityOf(h), err
}

// SignIn implements [web.Keystone].
func (t tokenCheck) SignIn(ctx context.Context, l web.Login) (string, web.Holder, error) {
	token, h, err := t.keystone.SignIn(ctx, loginOf(l))
	if errors.Is(err, openstack.ErrSignIn) {
		return "", web.Holder{}, web.ErrSignIn
	}
	return token, identityOf(h), err
}

// Revoke implements [web.Keystone].
func (t tokenCheck) Revoke(ctx context.Context, token string) error {
	return t.keystone.Revoke(ctx, token)
}

func loginOf(l web.Login) openstack.Login {
	return openstack.Login{User: l.User, Domain: l.Domain, Password: l.Password, Project: l.Project}
}

// OwnProjects implements [web.Keystone].
func (t tokenCheck) OwnProjects(ctx context.Context, token string) ([]web.ProjectName, error) {
	all, err := t.keystone.OwnProjects(ctx, token)
	if errors.Is(err, openstack.ErrInvalidToken) {
		return nil, web.ErrInvalidToken
	}
	names := []web.ProjectName{}
	for _, p := range all {
		names = append(names, web.ProjectName{ID: p.ID, Name: p.Name})
	}
	return names, err
}

// Scope implements [web.Keystone].
func (t tokenCheck) Scope(ctx context.Context, token, projectID string) (string, web.Holder, error) {
	scoped, h, err := t.keystone.Scope(ctx, token, projectID)
	if errors.Is(err, openstack.ErrSignIn) {
		return "", web.Holder{}, web.ErrSignIn
	}
	return scoped, identityOf(h), err
}

func identityOf(h openstack.Holder) web.Holder {
	return web.Holder{
		UserID: h.UserID, UserName: h.UserName, ProjectID: h.ProjectID, ProjectName: h.ProjectName,
		System: h.System, Roles: h.Roles, Expires: h.Expires,
	}
}
