package e2e

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/stretchr/testify/require"

	"staffeln/openstack"
)

// token signs a user in at Keystone and returns the token.
func (r *site) token(user, project string) string {
	r.T.Helper()
	password := user + "-secret"
	if user == "staffeln" {
		password = r.Sim.OpenRC("")["OS_PASSWORD"]
	}
	token, _, err := r.Keystone.SignIn(r.Ctx, openstack.Login{User: user, Domain: "Default", Password: password, Project: project})
	require.NoError(r.T, err)
	return token
}

// cookie signs a user in at the page and returns the cookie.
func (r *site) cookie(user, project string) *http.Cookie {
	r.T.Helper()
	password := user + "-secret"
	response := r.send(http.MethodPost, "/sign-in", url.Values{"user": {user}, "domain": {"Default"}, "password": {password}, "project": {project}}.Encode(), nil)
	require.Equal(r.T, http.StatusSeeOther, response.StatusCode, response.text)
	for _, c := range response.Cookies() {
		if c.Name == "staffeln" {
			return c
		}
	}
	require.Fail(r.T, "no cookie")
	return nil
}

// webResponse is a response with its body.
type webResponse struct {
	*http.Response

	text string
}

func (r *site) send(method, path, body string, change func(*http.Request)) webResponse {
	r.T.Helper()
	q, err := http.NewRequestWithContext(r.Ctx, method, r.URL+path, strings.NewReader(body))
	require.NoError(r.T, err, path)
	if body != "" {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(q)
	}
	response, err := r.Client.Do(q)
	require.NoError(r.T, err, path)
	text, err := io.ReadAll(response.Body)
	require.NoError(r.T, err)
	require.NoError(r.T, response.Body.Close())
	return webResponse{response, string(text)}
}

// get sends a request with the token in the header, or with the cookie.
func (r *site) get(path, token string, cookie *http.Cookie) webResponse {
	r.T.Helper()
	return r.send(http.MethodGet, path, "", func(q *http.Request) {
		if token != "" {
			q.Header.Set("X-Auth-Token", token)
		}
		if cookie != nil {
			q.AddCookie(cookie)
		}
	})
}

// leaks returns the names of other projects' things in a response; the response may repeat the request.
func leaks(response, asked string, foreign map[string]bool) (named []string) {
	if text, err := url.QueryUnescape(asked); err == nil {
		asked = text
	}
	for name := range foreign {
		if strings.Contains(response, name) && !strings.Contains(asked, name) {
			named = append(named, name)
		}
	}
	return named
}

func login(name string) openstack.Login {
	project := map[string]string{"alice": "acme", "amy": "acme", "eve": "acme", "bob": "globex", "root": "admin"}[name]
	return openstack.Login{User: name, Domain: "Default", Password: name + "-secret", Project: project}
}

// between returns the text after the first begin up to the next end.
func between(text, begin, end string) string {
	_, text, _ = strings.Cut(text, begin)
	text, _, _ = strings.Cut(text, end)
	return text
}
