package openstack

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"time"
)

// send sends a request to Keystone without a token of our own.
func (k *Keystone) send(ctx context.Context, method, path string, body io.Reader, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, k.identity+path, body)
	if err != nil {
		return nil, err
	}
	if header != nil {
		request.Header = header
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "staffeln")
	return k.http.Do(request)
}

// tokenResponse is Keystone's response about a token.
type tokenResponse struct {
	Token struct {
		User struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"user"`
		Project struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"project"`
		System map[string]bool `json:"system"`
		Roles  []struct {
			Name string `json:"name"`
		} `json:"roles"`
		Issued  time.Time `json:"issued_at"`
		Expires time.Time `json:"expires_at"`
	} `json:"token"`
}

func (r tokenResponse) holder() (Holder, error) {
	t := r.Token
	if t.User.ID == "" || t.Expires.IsZero() {
		return Holder{}, errors.New("read token: Keystone's response has no user ID or no expiry")
	}
	h := Holder{
		UserID: t.User.ID, UserName: t.User.Name, ProjectID: t.Project.ID, ProjectName: t.Project.Name,
		System: t.System["all"], Issued: t.Issued, Expires: t.Expires,
	}
	for _, role := range t.Roles {
		h.Roles = append(h.Roles, role.Name)
	}
	return h, nil
}

// uuid is the form of Keystone's IDs, with and without dashes.
var uuid = regexp.MustCompile(`^[0-9a-f]{32}$|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// request returns the body for Keystone. A project in the form of an ID is an ID. A domain is a name, except for "default",
// which is an ID in every cloud.
func (l Login) request() any {
	domain := func(name string) map[string]string {
		if name == "default" || uuid.MatchString(name) {
			return map[string]string{"id": name}
		}
		return map[string]string{"name": name}
	}
	own := l.ProjectDomain
	if own == "" {
		own = l.Domain
	}
	project := map[string]any{"name": l.Project, "domain": domain(own)}
	if uuid.MatchString(l.Project) {
		project = map[string]any{"id": l.Project}
	}
	var scope any = map[string]any{"project": project}
	if l.Project == "" {
		scope = "unscoped" // without it, Keystone would choose the user's default project
	}
	return map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{
			"user": map[string]any{"name": l.User, "domain": domain(l.Domain), "password": l.Password},
		}},
		"scope": scope,
	}}
}
