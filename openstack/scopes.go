package openstack

import (
	"context"
	"net/http"
	"net/url"

	"github.com/gophercloud/gophercloud/v2"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"staffeln/backup"
)

// opAuthenticate is the name of a token request in errors.
const opAuthenticate = "authenticate"

// maxScopes is how many projects' clients are kept; each takes a few tens of KiB.
const maxScopes = 1000

// scopes keeps one client per project.
type scopes struct {
	*lru.Cache[string, *scope] // by project ID

	group singleflight.Group
}

func newScopes(limit int) *scopes {
	kept, _ := lru.New[string, *scope](limit) // returns an error only if the limit is not positive
	return &scopes{Cache: kept}
}

// scope returns the client of a project. The client is made at the first call; concurrent callers share one. The error is a
// [*backup.CloudError].
func (c *Cloud) scope(ctx context.Context, projectID string) (*scope, error) {
	if projectID == c.admin.projectID {
		return c.admin, nil
	}
	if s, ok := c.scopes.Get(projectID); ok {
		return s, nil
	}
	made := c.scopes.group.DoChan(projectID, func() (any, error) {
		if s, ok := c.scopes.Get(projectID); ok {
			return s, nil // another caller made it meanwhile
		}
		// Other callers wait for it too: it must not end with the first caller's context.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.retrier.config.RetryTimeout.Std()+2*c.attemptTimeout)
		defer cancel()
		s, err := c.authenticate(ctx, gophercloud.AuthScope{ProjectID: projectID}, "project "+projectID)
		if err == nil {
			c.scopes.Add(projectID, s)
		}
		return s, err
	})
	select {
	case r := <-made:
		s, _ := r.Val.(*scope)
		return s, r.Err
	case <-ctx.Done():
		return nil, &backup.CloudError{
			Op: opAuthenticate, Object: "project " + projectID, ProjectID: projectID,
			Meaning: backup.MeansUnavailable, Err: ctx.Err(),
		}
	}
}

// authenticate makes a scope, with the same retries as a read.
func (c *Cloud) authenticate(ctx context.Context, project gophercloud.AuthScope, object string) (*scope, error) {
	r := request{op: opAuthenticate, object: object, id: project.ProjectID, method: http.MethodPost, idempotent: true, first: c.admin == nil}
	var s *scope
	err := c.retrier.try(ctx, r, func() (fault *backup.CloudError) {
		s, fault = c.newScope(ctx, r, project)
		return fault
	})
	if err == nil {
		return s, nil
	}
	if c.admin != nil && (backup.Means(err, backup.MeansUnauthorised) || backup.Means(err, backup.MeansNotFound)) {
		return nil, c.explainRefusal(ctx, project.ProjectID, err)
	}
	return nil, err
}

// explainRefusal finds out why Keystone refuses a token of a project. Keystone's 401 is the same for a wrong password, a
// missing role, and a deleted or disabled project. The admin project's token shows which of them it is.
func (c *Cloud) explainRefusal(ctx context.Context, projectID string, refusal error) error {
	if _, refused := c.gate.refused(); refused || projectID == c.admin.projectID {
		return refusal
	}
	r := request{
		op: opAuthenticate, object: "project " + projectID, id: projectID,
		method: http.MethodGet, path: "/projects/" + url.PathEscape(projectID),
	}
	project, err := c.readProject(ctx, r)
	switch {
	case backup.Means(err, backup.MeansNotFound):
		return r.refuse(projectID, backup.MeansProjectGone, "Keystone knows no such project")
	case err != nil:
		return err
	case !project.Enabled:
		return r.refuse(projectID, backup.MeansNoRole, "the project is disabled")
	}
	return r.refuse(projectID, backup.MeansNoRole, "the service user has no role in the project")
}
