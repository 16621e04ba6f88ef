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
	"staffeln/db"
	"staffeln/openstack"
)

// openWindow answers the read API and the page, which Keystone guards; nil where no cloud is given, and then neither of
// them is there. It speaks to nothing: the API answers Cinder whether Keystone is there or not.
func openWindow(ctx context.Context, cfg web.Config, set backup.Settings, memory *db.DB, s surroundings) (*web.Window, error) {
	if os.Getenv("OS_AUTH_URL") == "" && os.Getenv("OS_CLOUD") == "" {
		zerolog.Ctx(ctx).Info().Msg("no cloud is given by OS_*: there is no read API and no page")
		return nil, nil //nolint:nilnil // it is not asked for
	}
	credentials, err := openstack.AddressFromEnv(os.Getenv)
	if err != nil {
		return nil, usageError{fmt.Errorf("read cloud credentials: nothing was started:\n%w", err)}
	}
	keystone, err := openstack.NewKeystone(credentials, s.metrics.CloudRequest)
	if err != nil {
		return nil, err
	}
	return web.New(cfg, web.Deps{
		DB: memory, Keystone: tokenCheck{keystone}, ServiceUser: func(l web.Login) bool { return credentials.Is(loginOf(l)) }, Settings: set, Given: reader(set).Given,
		Now: time.Now, //nolint:forbidigo // Keystone's tokens end by the world's clock
	}), nil
}

// tokenCheck is Keystone in the window's words.
type tokenCheck struct{ keystone *openstack.Keystone }

// Validate implements [web.Keystone].
func (t tokenCheck) Validate(ctx context.Context, token string) (web.Identity, error) {
	h, err := t.keystone.Validate(ctx, token)
	if errors.Is(err, openstack.ErrInvalidToken) {
		return web.Identity{}, web.ErrInvalidToken
	}
	return identityOf(h), err
}

// SignIn implements [web.Keystone].
func (t tokenCheck) SignIn(ctx context.Context, l web.Login) (string, web.Identity, error) {
	token, h, err := t.keystone.SignIn(ctx, loginOf(l))
	if errors.Is(err, openstack.ErrSignIn) {
		return "", web.Identity{}, web.ErrSignIn
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

func identityOf(h openstack.Holder) web.Identity {
	return web.Identity{
		UserID: h.UserID, UserName: h.UserName, ProjectID: h.ProjectID, ProjectName: h.ProjectName,
		System: h.System, Roles: h.Roles, Expires: h.Expires,
	}
}
