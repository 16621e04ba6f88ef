package openstack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"staffeln/backup"
)

// Microversion returns the microversion that we request from Cinder, and its minor number. It is the newest that both sides
// know, unless an API node is older than the others.
func (c *Cloud) Microversion() (string, int) {
	minor := c.version.now()
	return fmt.Sprintf("3.%d", minor), minor
}

// KeystoneClock returns the time of Keystone's machine from the Date header of its response. The resolution is one second.
func (c *Cloud) KeystoneClock(ctx context.Context) (time.Time, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.admin.identity, http.NoBody)
	if err != nil {
		return time.Time{}, fmt.Errorf("read Keystone's clock: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return time.Time{}, fmt.Errorf("read Keystone's clock: %w", err)
	}
	_ = response.Body.Close() // only the headers are needed
	at, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return time.Time{}, fmt.Errorf("read Keystone's clock: %w", err)
	}
	return at, nil
}

// NovaResponds returns nil if Nova lists servers of all projects to us. It asks for one server.
func (c *Cloud) NovaResponds(ctx context.Context) error {
	var page struct{ Servers []json.RawMessage }
	return c.do(ctx, c.admin, request{
		op: "list servers", object: "of all projects", method: http.MethodGet, service: nova, path: "/servers/detail?all_tenants=1&limit=1",
		decode: func(body []byte) error { return json.Unmarshal(body, &page) },
	})
}

// Reach requests a token of the project and reports whether the token's roles give the right to the project's secrets.
func (c *Cloud) Reach(ctx context.Context, projectID string) (secretRight bool, err error) {
	s, err := c.scope(ctx, projectID)
	if err != nil {
		return false, err
	}
	t, err := s.token()
	if err != nil {
		return false, fmt.Errorf("read token of project %s: %w", projectID, err)
	}
	return t.hasRole(c.retrier.config.SecretRoles...), nil
}

// IsAdmin reports whether the token of our own project has the admin role now.
func (c *Cloud) IsAdmin(ctx context.Context) (bool, error) {
	err := c.VerifyAdmin(ctx)
	if backup.Means(err, backup.MeansNotAdmin) {
		return false, nil
	}
	return err == nil, err
}
