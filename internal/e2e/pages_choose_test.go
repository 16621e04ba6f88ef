package e2e

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
)

// A user who names no project gets the only one at once, or chooses one of several; the domain is remembered. What the
// chooser carries is no session, and nobody gets into a project without a role.
func TestUserChoosesAProjectAfterSignIn(t *testing.T) {
	t.Parallel()
	r := newSite(t, time.Hour)
	signIn := func(user string) webResponse {
		t.Helper()
		return r.send(http.MethodPost, "/sign-in", url.Values{"user": {user}, "domain": {"Default"}, "password": {user + "-secret"}, "next": {"/volumes"}}.Encode(), nil)
	}
	one := signIn("alice")
	require.Equal(t, "/volumes", one.Header.Get("Location"), one.text)
	require.Contains(t, r.get("/", "", one.Cookies()[0]).text, "in project <strong>acme</strong>")
	require.Equal(t, http.StatusForbidden, signIn("eve").StatusCode, "her only role does not count")

	both := r.Sim.AddUser("both", "both-secret", "")
	r.Sim.Grant(both, r.Acme, "member")
	r.Sim.Grant(both, r.Globex, "auditor")
	several := signIn("both")
	require.Equal(t, http.StatusOK, several.StatusCode)
	require.Contains(t, several.text, `<option value="`+r.Acme+`">acme</option>`)
	require.Len(t, several.Cookies(), 1)
	domain := several.Cookies()[0]
	require.Equal(t, "staffeln-domain", domain.Name)
	require.True(t, domain.HttpOnly && domain.SameSite == http.SameSiteLaxMode)
	domain.Value = "VGVuYW50cw" // Tenants
	require.Contains(t, r.get("/sign-in", "", domain).text, `name="domain" value="Tenants"`)
	domain.Value = "%%%"
	require.Contains(t, r.get("/sign-in", "", domain).text, `name="domain" value="Default"`)

	session := between(several.text, `name="session" value="`, `"`)
	require.NotContains(t, session, "gAAAA")
	require.Equal(t, http.StatusSeeOther, r.get("/", "", &http.Cookie{Name: "staffeln", Value: session}).StatusCode, "it is no session")
	choose := func(session, project string, change func(*http.Request)) webResponse {
		t.Helper()
		return r.send(http.MethodPost, "/sign-in/project", url.Values{"session": {session}, "project": {project}, "next": {"//elsewhere.example.org"}}.Encode(), change)
	}
	for _, project := range []string{r.Globex, r.Sim.Project("admin"), "", "<b>"} {
		refused := choose(session, project, nil)
		require.Equal(t, http.StatusForbidden, refused.StatusCode, project)
		require.Empty(t, refused.Cookies())
		require.Contains(t, refused.text, ">acme</option>", "another can be chosen")
	}
	require.Equal(t, http.StatusForbidden, choose(session, r.Acme, func(q *http.Request) { q.Header.Set("Sec-Fetch-Site", "cross-site") }).StatusCode)
	for _, wrong := range []string{"", "garbage", one.Cookies()[0].Value} {
		require.Equal(t, "/sign-in?ended=1", choose(wrong, r.Acme, nil).Header.Get("Location"))
	}
	chosen := choose(session, r.Acme, nil)
	require.Equal(t, "/", chosen.Header.Get("Location"))
	require.Contains(t, r.get("/", "", chosen.Cookies()[0]).text, "in project <strong>acme</strong>")

	r.Step(2 * time.Hour)
	require.Equal(t, "/sign-in?ended=1", choose(session, r.Acme, nil).Header.Get("Location"))
	r.Sim.AddFault(cloudsim.Fault{Route: "GET /identity/v3/auth/projects", Do: cloudsim.Refuse{Status: http.StatusServiceUnavailable}})
	require.Equal(t, http.StatusServiceUnavailable, signIn("both").StatusCode)
}

// The overview reloads itself until that is turned off; pages that somebody fills in or reads do not.
func TestOverviewReloadsItselfUntilTurnedOff(t *testing.T) {
	t.Parallel()
	r := newSite(t, 1000*time.Hour)
	cookie := r.cookie("alice", "acme")
	const reloads = `<meta http-equiv="refresh" content="60">`
	require.Contains(t, r.get("/", "", cookie).text, reloads)
	for _, path := range []string{"/volumes", "/backups", "/volumes/" + r.Volume, "/sign-in"} {
		require.NotContains(t, r.get(path, "", cookie).text, reloads, path)
	}
	off := r.send(http.MethodPost, "/refresh", url.Values{"refresh": {"off"}}.Encode(), func(q *http.Request) { q.AddCookie(cookie) })
	require.Equal(t, "/", off.Header.Get("Location"))
	require.Len(t, off.Cookies(), 1)
	page := r.send(http.MethodGet, "/", "", func(q *http.Request) { q.AddCookie(cookie); q.AddCookie(off.Cookies()[0]) })
	require.Equal(t, http.StatusOK, page.StatusCode)
	require.NotContains(t, page.text, reloads)
	require.Contains(t, page.text, "Reload every minute")
	on := r.send(http.MethodPost, "/refresh", url.Values{"refresh": {"on"}}.Encode(), func(q *http.Request) { q.AddCookie(cookie) })
	require.Negative(t, on.Cookies()[0].MaxAge)
	require.Equal(t, http.StatusForbidden, r.send(http.MethodPost, "/refresh", "refresh=off", func(q *http.Request) { q.Header.Set("Sec-Fetch-Site", "cross-site") }).StatusCode)
}
