package openstack

import (
	"context"
	"net/http"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
)

// newClient returns a client without a token that sends its requests through wire.
func (c Credentials) newClient(wire http.Client) (*gophercloud.ProviderClient, error) {
	client, err := openstack.NewClient(c.authURL)
	if err != nil {
		return nil, err
	}
	client.HTTPClient = wire
	client.UserAgent.Prepend("staffeln")
	return client, nil
}

// logIn requests a token of that project for client.
func (c Credentials) logIn(ctx context.Context, client *gophercloud.ProviderClient, password string, project gophercloud.AuthScope) error {
	fresh, err := c.newClient(client.HTTPClient) // a client that still had the old token would send more requests than the one for a token
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

// proof returns the function with which a gate tests a password.
func (c Credentials) proof(wire http.Client) func(ctx context.Context, password string) error {
	return func(ctx context.Context, password string) error {
		client, err := c.newClient(wire)
		if err != nil {
			return err
		}
		return c.logIn(ctx, client, password, c.admin)
	}
}

// authenticated returns a client with a token of that project. The client requests its later tokens through the gate too.
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

// LoginRefused reports whether Keystone refuses our service user's login at present, and since when. It sends no request.
func (c *Cloud) LoginRefused() (since time.Time, refused bool) { return c.gate.refused() }
