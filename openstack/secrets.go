package openstack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"staffeln/backup"
)

// Barbican's pages have at most 100 secrets, unless its max_limit_paging is lower. After secretsPages pages the list is not
// read further: a tenant may make any number of secrets, and each secret that was not listed is checked by its ID.
const (
	secretsPage  = 100
	secretsPages = 20
)

// secretNotFound is Barbican's message that it has no secret with an ID. Every valid token gets it, because Barbican reads
// the secret before it checks its policy. (Barbican 10.0.0 to 23.0.0; "Provided secret id is invalid" and a missing route
// are 404 too.)
const secretNotFound = "Secret not found."

// confirmsSecretMissing reports whether Barbican itself reports that the requested secret does not exist. Its message does
// not name the ID.
func confirmsSecretMissing(status int, body []byte) bool {
	var response struct {
		Code               int
		Title, Description string
	}
	return status == http.StatusNotFound && json.Unmarshal(body, &response) == nil &&
		response.Code == status && response.Title == http.StatusText(status) && response.Description == secretNotFound
}

type secretJSON struct {
	Ref string `json:"secret_ref"`
}

// id returns the secret's ID: the last part of its reference. The beginning of the reference is Barbican's own idea of its
// address.
func (s secretJSON) id() string {
	return strings.ToLower(s.Ref[strings.LastIndexByte(s.Ref, '/')+1:])
}

// Secrets lists the IDs of a project's secrets in Barbican, with a token of that project. A secret that is not listed may
// still exist: some secrets are private to their creators, and a long list is not read to its end.
func (c *Cloud) Secrets(ctx context.Context, projectID string) (map[string]bool, error) {
	s, r, err := c.barbicanRequest(ctx, request{op: "list secrets", object: "of project " + projectID}, projectID)
	if err != nil {
		return nil, err
	}
	all := map[string]bool{}
	for page, read := 0, 0; page < secretsPages; page++ {
		var response struct {
			Secrets []secretJSON
			Total   *int
		}
		r.decode = func(body []byte) error {
			if err := json.Unmarshal(body, &response); err != nil {
				return err
			}
			if response.Secrets == nil || response.Total == nil {
				return fmt.Errorf("the response is not a list of secrets")
			}
			return nil
		}
		r.path = "/secrets?" + url.Values{"limit": {strconv.Itoa(secretsPage)}, "offset": {strconv.Itoa(read)}, "sort": {"created:asc"}}.Encode()
		if err := c.do(ctx, s, r); err != nil {
			return nil, err
		}
		for _, one := range response.Secrets {
			all[one.id()] = true
		}
		read += len(response.Secrets)
		if read >= *response.Total {
			return all, nil
		}
		if len(response.Secrets) == 0 {
			return nil, r.refuse(projectID, backup.MeansUnavailable, fmt.Sprintf("the list ends after %d of %d secrets", read, *response.Total))
		}
	}
	return all, nil
}

// Secret checks whether one secret of a project exists; it never reads its payload. "Not found" means that Barbican itself
// reports that no such secret exists.
func (c *Cloud) Secret(ctx context.Context, projectID, secretID string) error {
	s, r, err := c.barbicanRequest(ctx, request{op: "read secret", object: secretID, id: secretID}, projectID)
	if err != nil {
		return err
	}
	r.path = "/secrets/" + url.PathEscape(secretID)
	r.decode = func(body []byte) error {
		var response secretJSON
		if err := json.Unmarshal(body, &response); err != nil {
			return err
		}
		if response.id() != strings.ToLower(secretID) {
			return fmt.Errorf("the response is about secret %q", response.Ref)
		}
		return nil
	}
	return c.do(ctx, s, r)
}

// barbicanRequest completes a request without retries: without a clear response the secret remains unknown until the next
// check.
func (c *Cloud) barbicanRequest(ctx context.Context, r request, projectID string) (*scope, request, error) {
	s, err := c.scope(ctx, projectID)
	if backup.Means(err, backup.MeansNotFound) { // this response is Keystone's and proves nothing about a secret
		return nil, r, r.refuse(projectID, backup.MeansUnavailable, err.Error())
	}
	if err != nil {
		return nil, r, err
	}
	r.method, r.service, r.once = http.MethodGet, barbican, true
	c.syncEndpoints(ctx, s)
	if s.base(barbican) == "" {
		return nil, r, r.refuse(projectID, backup.MeansUnavailable, "the catalog has no key-manager (Barbican) for our region and interface")
	}
	return s, r, nil
}
