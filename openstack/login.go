package openstack

import (
	"context"
	"net/http"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
)

// newClient returns a client without a token, which sends through wire.
func (c Credentials) newClient(wire http.Client) (*gophercloud.ProviderClient, error) {
	client, err := openstack.NewClient(c.authURL)
	if err != nil {
		return nil, err
	}
	client.HTTPClient = wire
	client.UserAgent.Prepend("staffeln")
	return client, nil
}

// logIn takes a token for client, of that project.
func (c Credentials) logIn(ctx context.Context, client *gophercloud.ProviderClient, password string, project gophercloud.AuthScope) error {
	fresh, err := c.newClient(client.HTTPClient) // with the token before, Keystone would be asked for more than a token
	if err != nil {
		return err
	}
	options := c.user
	options.Password, options.Scope = password, &project
	if err := openstack.AuthenticateV3(ctx, fresh, &options, gophercloud.EndpointOpts{}); err != nil {
		return err
	}
	client.CopyTokenFrom(fresh)
	return nil
}

// proof returns what a gate proves a password with.
func (c Credentials) proof(wire http.Client) func(ctx context.Context, password string) error {
	return func(ctx context.Context, password string) error {
		client, err := c.newClient(wire)
		if err != nil {
			return err
		}
		return c.logIn(ctx, client, password, c.admin)
	}
}

// authenticated returns a client with a token of that project. It takes its later ones through the gate too.
func (c Credentials) authenticated(ctx context.Context, g *gate, wire http.Client, project gophercloud.AuthScope) (*gophercloud.ProviderClient, error) {
	client, err := c.newClient(wire)
	if err != nil {
		return nil, err
	}
	login := func(ctx context.Context) error {
		return g.login(ctx, project == c.admin, func(password string) error { return c.logIn(ctx, client, password, project) })
	}
	if err := login(ctx); err != nil {
		return nil, err
	}
	client.ReauthFunc = login
	return client, nil
}

// LoginRefused reports whether Keystone refuses our service user's login at present, and since when. It asks nothing.
func (c *Cloud) LoginRefused() (since time.Time, refused bool) { return c.gate.refused() }
