//go:build openstack

package lab

import (
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
)

// The read API and the page with tokens of a real Keystone: two tenants, a reader, an administrator and our own service user,
// in projects with real backups; then after a sign-out, with a revoked token, and without a role. The api process has no
// password.
func TestWebOnOpenStack(t *testing.T) {
	s := newLabRun(t).newTest(t, "web")
	alice, bob := s.tenant("acme"), s.tenant("globex")
	mine := alice.boot("web", 1, map[string]string{s.key: "true", s.retentionKey(): "2w"})
	other := bob.boot("app", 1, map[string]string{s.key: "true", s.retentionKey(): "2w"})
	p := s.start(map[string]string{"STAFFELN_BACKUP_MIN_INTERVAL": "10s", "STAFFELN_RPO_GRACE": "5min", "STAFFELN_FULL_BACKUP_DEPTH": "2"})
	for _, one := range []*labServer{mine, other} {
		p.until("backups of "+one.Name, 3*time.Minute, func() bool { return strings.HasPrefix(p.kinds(one.Volumes[0]), "FI") })
	}
	env := maps.Clone(p.env)
	env["STAFFELN_API_LISTEN"], env["STAFFELN_API_METRICS_LISTEN"] = rig.FreeAddress(t), ""
	for _, secret := range []string{"OS_PASSWORD", "OS_PASSWORD_FILE"} {
		delete(env, secret)
	}
	amy := s.user(s.prefix+"-amy", "reader", alice.project)
	rig.Launch(t, env, "api")
	l := &labWeb{t, "http://" + env["STAFFELN_API_LISTEN"]}
	p.until("the api responds", time.Minute, func() bool { return rig.Responds(t, env["STAFFELN_API_LISTEN"], "http://127.0.0.1:8808/readyz") })

	foreign := []string{bob.project, other.ID, other.Volumes[0], other.Name}
	token := alice.identity.Token()
	amy["OS_PROJECT_NAME"], amy["OS_PROJECT_DOMAIN_ID"] = s.prefix+"-acme", s.admin.domain
	amy["OS_PROJECT_DOMAIN_NAME"], amy["OS_DOMAIN_NAME"] = "", ""
	_, seen := l.get("/v1/volumes", s.login(amy).identity.Token())
	require.Contains(t, seen, mine.Volumes[0], "a reader reads")
	require.NotContains(t, seen, other.Volumes[0])
	for path, want := range map[string]int{
		"/v1/volumes": 200, "/v1/backups": 200, "/v1/volumes/" + mine.Volumes[0]: 200, "/v1/volumes/" + other.Volumes[0]: 404,
		"/v1/backups?state=available&limit=1": 200, "/v1/backups?bogus=1": 400,
	} {
		status, text := l.get(path, token)
		require.Equal(t, want, status, "%s: %s", path, text)
		for _, one := range foreign {
			require.NotContains(t, text, one, path)
		}
	}
	_, text := l.get("/v1/backups?volume="+other.Volumes[0], bob.identity.Token())
	require.Contains(t, text, other.Volumes[0])
	for _, admin := range []string{s.admin.identity.Token(), s.login(s.service).identity.Token()} {
		_, text := l.get("/v1/volumes", admin)
		require.Contains(t, text, mine.Volumes[0])
		require.Contains(t, text, other.Volumes[0])
	}
	for _, none := range []string{"", "garbage", "gAAAAABqAAAAgarbage"} {
		status, _ := l.get("/v1/volumes", none)
		require.Equal(t, http.StatusUnauthorized, status)
	}

	name := s.prefix + "-acme" // name of the project and of its user
	status, text := l.form(http.DefaultClient, "/sign-in", url.Values{
		"user": {env["OS_USERNAME"]}, "domain": {"Default"}, "password": {p.env["OS_PASSWORD"]}, "project": {env["OS_PROJECT_NAME"]},
	})
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, text, "sign in as yourself")
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := &http.Client{Jar: jar}
	s.until("Keystone responds to a sign-in in time", 2*time.Minute, func() bool {
		status, text = l.form(browser, "/sign-in", url.Values{"user": {name}, "domain": {s.admin.domain}, "password": {"wrong"}, "project": {name}})
		return status != http.StatusServiceUnavailable
	})
	require.Equal(t, http.StatusUnauthorized, status)
	require.Contains(t, text, "Keystone refuses")
	status, text = l.form(browser, "/sign-in", url.Values{
		"user": {name}, "domain": {s.admin.domain}, "password": {"made-up-4-a-test"}, "project": {name}, "next": {"/volumes/" + mine.Volumes[0]},
	})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "Chains")
	for _, one := range foreign {
		require.NotContains(t, text, one)
	}
	_, text = l.form(browser, "/sign-out", url.Values{})
	require.Contains(t, text, "With your OpenStack user")

	require.NoError(t, revoke(alice, token))
	p.until("a revoked token shows nothing", 2*time.Minute, func() bool { status, _ := l.get("/v1/volumes", token); return status == http.StatusUnauthorized })
}

// labWeb is the api of a run.
type labWeb struct {
	t   *testing.T
	url string
}

func (l *labWeb) get(path, token string) (status int, text string) {
	l.t.Helper()
	q, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, l.url+path, http.NoBody)
	require.NoError(l.t, err)
	if token != "" {
		q.Header.Set("X-Auth-Token", token)
	}
	return l.send(http.DefaultClient, q)
}

func (l *labWeb) form(browser *http.Client, path string, fields url.Values) (status int, text string) {
	l.t.Helper()
	q, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.url+path, strings.NewReader(fields.Encode()))
	require.NoError(l.t, err)
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return l.send(browser, q)
}

func (l *labWeb) send(client *http.Client, q *http.Request) (status int, text string) {
	l.t.Helper()
	response, err := client.Do(q)
	require.NoError(l.t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(l.t, err)
	require.NoError(l.t, response.Body.Close())
	return response.StatusCode, string(body)
}

// revoke revokes a token with the token itself.
func revoke(h *labClient, token string) error {
	q, err := http.NewRequestWithContext(h.ctx(), http.MethodDelete, strings.TrimSuffix(h.identity.Endpoint, "/")+"/auth/tokens", http.NoBody)
	if err != nil {
		return err
	}
	q.Header.Set("X-Auth-Token", token)
	q.Header.Set("X-Subject-Token", token)
	response, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	return response.Body.Close()
}
