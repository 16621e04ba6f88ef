package openstack

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"staffeln/backup"
)

// Microversion is the one of Cinder that is asked for: the newest that both sides
// know, unless an API node is older than the others. The number is its second.
func (c *Cloud) Microversion() (string, int) {
	minor := c.version.now()
	return fmt.Sprintf("3.%d", minor), minor
}

// KeystoneClock reads the clock of Keystone's machine, to the second, as the
// head of its answer has it.
func (c *Cloud) KeystoneClock(ctx context.Context) (time.Time, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.admin.identity, http.NoBody)
	if err != nil {
		return time.Time{}, fmt.Errorf("read Keystone's clock: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return time.Time{}, fmt.Errorf("read Keystone's clock: %w", err)
	}
	_ = response.Body.Close() // only its head was wanted
	at, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return time.Time{}, fmt.Errorf("read Keystone's clock: %w", err)
	}
	return at, nil
}

// Reach takes a token of the project and tells whether its roles show the right
// to the project's secrets.
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

// IsAdmin tells whether the token of our own project has the role admin now.
func (c *Cloud) IsAdmin(ctx context.Context) (bool, error) {
	err := c.VerifyAdmin(ctx)
	if backup.Means(err, backup.MeansForbidden) {
		return false, nil
	}
	return err == nil, err
}
