package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rs/zerolog"

	"staffeln/api/window"
	"staffeln/backup"
	"staffeln/db"
	"staffeln/openstack"
)

// openWindow answers the read API and the page, which Keystone guards; nil where no cloud is given, and then neither of
// them is there. It speaks to nothing: the API answers Cinder whether Keystone is there or not.
func openWindow(ctx context.Context, cfg window.Config, set backup.Settings, memory *db.DB, s surroundings) (*window.Window, error) {
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
	return window.New(cfg, window.Deps{
		DB: memory, Keystone: tokenCheck{keystone}, ServiceUser: func(l window.Login) bool { return credentials.Is(loginOf(l)) }, Settings: set, Given: reader(set).Given,
		Now: time.Now, //nolint:forbidigo // Keystone's tokens end by the world's clock
	}), nil
}

// tokenCheck is Keystone in the window's words.
type tokenCheck struct{ keystone *openstack.Keystone }

// Validate implements [window.Keystone].
func (t tokenCheck) Validate(ctx context.Context, token string) (window.Identity, error) {
	h, err := t.keystone.Validate(ctx, token)
	if errors.Is(err, openstack.ErrInvalidToken) {
		return window.Identity{}, window.ErrInvalidToken
	}
	return identityOf(h), err
}

// SignIn implements [window.Keystone].
func (t tokenCheck) SignIn(ctx context.Context, l window.Login) (string, window.Identity, error) {
	token, h, err := t.keystone.SignIn(ctx, loginOf(l))
	if errors.Is(err, openstack.ErrSignIn) {
		return "", window.Identity{}, window.ErrSignIn
	}
	return token, identityOf(h), err
}

// Revoke implements [window.Keystone].
func (t tokenCheck) Revoke(ctx context.Context, token string) error {
	return t.keystone.Revoke(ctx, token)
}

func loginOf(l window.Login) openstack.Login {
	return openstack.Login{User: l.User, Domain: l.Domain, Password: l.Password, Project: l.Project}
}

func identityOf(h openstack.Holder) window.Identity {
	return window.Identity{
		UserID: h.UserID, UserName: h.UserName, ProjectID: h.ProjectID, ProjectName: h.ProjectName,
		System: h.System, Roles: h.Roles, Expires: h.Expires,
	}
}
