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

// Barbican's pages have 100 secrets at most, unless its max_limit_paging says less.
// A list that is longer than this many pages is not read to its end: a tenant may
// make secrets without number, and what was not read is asked for by its ID.
const (
	secretsPage  = 100
	secretsPages = 20
)

// secretNotFound is how Barbican says that it has no secret of an ID, to whoever
// asks with a valid token: it looks before it asks its policy. (Barbican 10.0.0 to
// 23.0.0; "Provided secret id is invalid" and a missing route are 404 too.)
const secretNotFound = "Secret not found."

// lacksSecret reports whether an answer is Barbican's own that the secret that was
// asked for by its ID does not exist. Its words do not name the ID.
func lacksSecret(status int, body []byte) bool {
	var said struct {
		Code               int
		Title, Description string
	}
	return status == http.StatusNotFound && json.Unmarshal(body, &said) == nil &&
		said.Code == status && said.Title == http.StatusText(status) && said.Description == secretNotFound
}

type secretJSON struct {
	Ref string `json:"secret_ref"`
}

// id returns the secret's ID: the last part of its reference, whose beginning is
// whatever Barbican takes for its own address.
func (s secretJSON) id() string {
	return strings.ToLower(s.Ref[strings.LastIndexByte(s.Ref, '/')+1:])
}

// Secrets lists the IDs of a project's secrets in Barbican, with a token of that
// project. What it lacks may be there all the same: secrets that their makers keep
// for themselves, and those behind the end of what is read.
func (c *Cloud) Secrets(ctx context.Context, projectID string) (map[string]bool, error) {
	s, r, err := c.askBarbican(ctx, request{op: "list secrets", object: "of project " + projectID}, projectID)
	if err != nil {
		return nil, err
	}
	all := map[string]bool{}
	for page, read := 0, 0; page < secretsPages; page++ {
		var said struct {
			Secrets []secretJSON
			Total   *int
		}
		r.decode = func(body []byte) error {
			if err := json.Unmarshal(body, &said); err != nil {
				return err
			}
			if said.Secrets == nil || said.Total == nil {
				return fmt.Errorf("the answer is no list of secrets")
			}
			return nil
		}
		r.path = "/secrets?" + url.Values{"limit": {strconv.Itoa(secretsPage)}, "offset": {strconv.Itoa(read)}, "sort": {"created:asc"}}.Encode()
		if err := c.do(ctx, s, r); err != nil {
			return nil, err
		}
		for _, one := range said.Secrets {
			all[one.id()] = true
		}
		read += len(said.Secrets)
		if read >= *said.Total {
			return all, nil
		}
		if len(said.Secrets) == 0 {
			return nil, r.refuse(projectID, backup.MeansUnavailable, fmt.Sprintf("the list breaks off after %d of %d secrets", read, *said.Total))
		}
	}
	return all, nil
}

// Secret looks for one secret of a project, never for what is in it. "Not found" is
// Barbican's own word that nobody has it any more.
func (c *Cloud) Secret(ctx context.Context, projectID, secretID string) error {
	s, r, err := c.askBarbican(ctx, request{op: "read secret", object: secretID, id: secretID}, projectID)
	if err != nil {
		return err
	}
	r.path = "/secrets/" + url.PathEscape(secretID)
	r.decode = func(body []byte) error {
		var said secretJSON
		if err := json.Unmarshal(body, &said); err != nil {
			return err
		}
		if said.id() != strings.ToLower(secretID) {
			return fmt.Errorf("the answer is about secret %q", said.Ref)
		}
		return nil
	}
	return c.do(ctx, s, r)
}

// askBarbican completes one question, which is not tried again: whatever is no
// clear answer leaves it unknown until somebody asks again.
func (c *Cloud) askBarbican(ctx context.Context, r request, projectID string) (*scope, request, error) {
	s, err := c.scope(ctx, projectID)
	if backup.Means(err, backup.MeansNotFound) { // Keystone's word, on no secret
		return nil, r, r.refuse(projectID, backup.MeansUnavailable, err.Error())
	}
	if err != nil {
		return nil, r, err
	}
	r.method, r.service, r.once = http.MethodGet, barbican, true
	c.current(ctx, s)
	if s.base(barbican) == "" {
		return nil, r, r.refuse(projectID, backup.MeansUnavailable, "the catalog has no key-manager (Barbican) for our region and interface")
	}
	return s, r, nil
}
