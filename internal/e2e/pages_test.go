package e2e

import (
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
)

const tokenCheckRoute = "GET /identity/v3/auth/tokens"

// A token's validation by Keystone is cached for a short time, but not longer than the token is valid. If Keystone is down and
// the token is not cached, the response is 503.
func TestTokenIsCachedForAShortTime(t *testing.T) {
	t.Parallel()
	r := newSite(t, time.Hour)
	token := r.token("alice", "acme")
	asked := func() int { return r.Sim.Counts()[tokenCheckRoute] }
	status := func() int { t.Helper(); return r.get("/v1/volumes", token, nil).StatusCode }
	before := asked()
	require.Equal(t, http.StatusOK, status())
	require.Equal(t, http.StatusOK, status())
	require.Equal(t, before+1, asked(), "the second request used the cache")
	r.Step(time.Minute)
	require.Equal(t, http.StatusOK, status())
	require.Equal(t, before+2, asked())

	r.Step(58*time.Minute + 40*time.Second) // 20 seconds before the token expires
	require.Equal(t, http.StatusOK, status())
	r.Step(20 * time.Second)
	require.Equal(t, http.StatusUnauthorized, status(), "remembered for a minute, but its own end is sooner")

	token = r.token("alice", "acme")
	cookie := r.cookie("bob", "globex")
	require.Equal(t, http.StatusOK, status())
	r.Sim.AddFault(cloudsim.Fault{Route: tokenCheckRoute, Do: cloudsim.Refuse{Status: http.StatusServiceUnavailable}})
	require.Equal(t, http.StatusOK, status(), "remembered")
	r.Step(time.Minute)
	for _, w := range []caller{{token: token}, {token: "garbage"}} {
		got := r.ask(http.MethodGet, "/v1/backups", w)
		require.Equal(t, http.StatusServiceUnavailable, got.StatusCode)
		require.Equal(t, "application/problem+json", got.Header.Get("Content-Type"))
		require.Contains(t, got.text, "Keystone does not respond")
		require.Empty(t, leaks(got.text, "", r.Mine))
	}
	page := r.get("/", "", cookie)
	require.Equal(t, http.StatusServiceUnavailable, page.StatusCode)
	require.Contains(t, page.text, "Keystone does not respond")
	require.Equal(t, http.StatusUnauthorized, r.get("/v1/volumes", "", nil).StatusCode, "nobody needs to be asked")
}

// The session cookie cannot be read by scripts or decrypted, and is not sent by other sites. Requests from other sites change
// nothing.
func TestSessionOfThePage(t *testing.T) {
	t.Parallel()
	r := newSite(t, 1000*time.Hour)
	form := url.Values{"user": {"alice"}, "domain": {"Default"}, "password": {"alice-secret"}, "project": {"acme"}, "next": {"/volumes?protection=late"}}
	reportEnvironment := func(path string, change func(*http.Request)) webResponse {
		t.Helper()
		return r.send(http.MethodPost, path, form.Encode(), change)
	}
	signed := reportEnvironment("/sign-in", nil)
	require.Equal(t, "/volumes?protection=late", signed.Header.Get("Location"))
	cookie := signed.Cookies()[0]
	require.Equal(t, "staffeln", cookie.Name)
	require.True(t, cookie.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	require.False(t, cookie.Secure)
	require.Equal(t, "/", cookie.Path)
	require.NotContains(t, cookie.Value, "gAAAA")
	byTLS := reportEnvironment("/sign-in", func(q *http.Request) { q.Header.Set("X-Forwarded-Proto", "https") }).Cookies()[0]
	require.Equal(t, "__Host-staffeln", byTLS.Name)
	require.True(t, byTLS.Secure && byTLS.HttpOnly && byTLS.SameSite == http.SameSiteLaxMode)

	page := r.get("/volumes", "", cookie)
	require.Equal(t, http.StatusOK, page.StatusCode)
	policy := page.Header.Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'")
	require.NotContains(t, policy, "script-src")
	require.NotContains(t, policy, "unsafe")
	require.NotContains(t, page.text, "<script")
	require.NotContains(t, page.text, " style=")
	require.Equal(t, "no-store", page.Header.Get("Cache-Control"))
	require.Equal(t, http.StatusUnauthorized, r.get("/v1/volumes", "", cookie).StatusCode, "programs need a token, so no site can use a browser's cookie there")

	for _, foreign := range []http.Header{{"Origin": {"https://elsewhere.example.org"}}, {"Sec-Fetch-Site": {"cross-site"}}, {"Origin": {"null"}}} {
		for _, path := range []string{"/sign-in", "/sign-out"} {
			got := reportEnvironment(path, func(q *http.Request) { q.Header.Set(only(foreign)); q.AddCookie(cookie) })
			require.Equal(t, http.StatusForbidden, got.StatusCode, "%s from %v", path, foreign)
			require.Empty(t, got.Cookies())
		}
	}
	require.Equal(t, http.StatusOK, r.get("/", "", cookie).StatusCode, "still signed in")
	require.Equal(t, http.StatusMethodNotAllowed, r.get("/sign-out", "", cookie).StatusCode)
	for _, signedIn := range []bool{true, false} {
		lost := r.send(http.MethodGet, "/nowhere", "", func(q *http.Request) {
			q.Header.Set("Accept", "text/html,*/*;q=0.8")
			if signedIn {
				q.AddCookie(cookie)
			}
		})
		require.Equal(t, http.StatusNotFound, lost.StatusCode)
		require.Contains(t, lost.text, "there is nothing at this path")
		require.Contains(t, lost.text, lost.Header.Get("X-Request-Id"))
		require.Equal(t, policy, lost.Header.Get("Content-Security-Policy"))
		require.Equal(t, signedIn, strings.Contains(lost.text, "Sign out"))
	}

	for _, target := range []string{"//elsewhere.example.org", "https://elsewhere.example.org", "/\\elsewhere.example.org", "javascript:alert(1)", "/sign-out", "\t//x"} {
		form.Set("next", target)
		require.Equal(t, "/", reportEnvironment("/sign-in", nil).Header.Get("Location"), target)
	}
	flipped := *cookie
	flipped.Value = strings.ToUpper(cookie.Value[:9]) + cookie.Value[9:]
	require.Equal(t, http.StatusSeeOther, r.get("/", "", &flipped).StatusCode)

	out := r.send(http.MethodPost, "/sign-out", "", func(q *http.Request) { q.AddCookie(cookie) })
	require.Equal(t, http.StatusSeeOther, out.StatusCode)
	require.Negative(t, out.Cookies()[0].MaxAge)
	require.Contains(t, r.get("/", "", cookie).Header.Get("Location"), "/sign-in?ended=1", "Keystone has revoked the token, so a copy of the cookie is of no use")

	form.Set("password", "<b>wrong</b>")
	refused := reportEnvironment("/sign-in", nil)
	require.Equal(t, http.StatusUnauthorized, refused.StatusCode)
	require.NotContains(t, refused.text, "wrong", "no password is kept")
	require.Empty(t, refused.Cookies())
	form.Set("user", `"><script>`)
	require.NotContains(t, reportEnvironment("/sign-in", nil).text, "<script>")
}

func only(h http.Header) (name, value string) {
	for name, values := range h {
		return name, values[0]
	}
	return "", ""
}

// Any value of a parameter gets one of the intended responses, without data of other projects.
func TestInvalidParametersGetDefinedResponses(t *testing.T) {
	t.Parallel()
	r := newSite(t, 1000*time.Hour)
	token, cookie, admin := r.token("alice", "acme"), r.cookie("alice", "acme"), r.token("root", "admin")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 1))
	odd := []string{
		"", "0", "-1", "1e9", "99999999999999999999", "\x00", "\xff\xfe", "'", `"`, "' OR 1=1 --", "%", "_", "*", "null", "true", "[]", "{}", "../..", "a,b", ",", "available,", "0001-01-01", "9999-12-31T23:59:59Z",
		"2026-02-30", "-0001-01-01", "infinity", "💾", strings.Repeat("x", 255), strings.Repeat("x", 256), strings.Repeat("ß", 3000), "bnVsbA", "e30", "eyJzIjoiLXRpbWUiLCJpIjoieCJ9", "eyJzIjoibmFtZSIsImkiOiJcdTAwMDAifQ",
		"eyJzIjoiLXRpbWUiLCJ0IjoiOTk5OS0xMi0zMVQyMzo1OTo1OVoiLCJpIjoieCJ9", r.Globex, r.Other,
	}
	for range 40 {
		some := make([]byte, chance.IntN(40))
		for i := range some {
			some[i] = byte(chance.Uint32())
		}
		odd = append(odd, string(some))
	}
	cursors := r.adminCursors(admin)
	for _, cursor := range cursors { // with one wrong character
		i := chance.IntN(len(cursor))
		odd = append(odd, cursor[:i]+"A"+cursor[i+1:], cursor[:i])
	}
	asked, statuses := 0, map[int]int{}
	for _, path := range []string{"/v1/volumes", "/v1/backups", "/v1/volumes/" + r.Volume, "/v1/openapi.json", "/v1/status", "/volumes", "/backups", "/", "/volumes/" + r.Volume} {
		for _, name := range []string{"project", "server", "volume", "search", "protection", "state", "reason", "ended", "from", "until", "sort", "limit", "cursor", "before", "bogus", ""} {
			for _, value := range odd {
				q := url.Values{name: {value}}.Encode()
				if chance.IntN(4) == 0 {
					q = name + "=" + strings.ReplaceAll(value, "#", "") // unescaped
				}
				q = strings.Map(func(c rune) rune {
					if c <= ' ' || c == 0x7f || c == '#' {
						return -1
					}
					return c
				}, q)
				got := r.ask(http.MethodGet, path+"?"+q, caller{token, cookie})
				asked++
				statuses[got.StatusCode]++
				require.Contains(t, []int{200, 400, 404}, got.StatusCode, "%s %q %q: %s", path, name, value, got.text)
				require.Empty(t, leaks(got.text, q+value, r.Foreign), "%s %q %q", path, name, value)
			}
		}
	}
	for _, value := range odd {
		for _, path := range []string{"/v1/volumes/", "/volumes/"} {
			got := r.ask(http.MethodGet, path+url.PathEscape(value), caller{token, cookie})
			asked++
			require.Contains(t, []int{200, 404, 400, 301}, got.StatusCode, "%s%q: %s", path, value, got.text)
			require.Empty(t, leaks(got.text, value, r.Foreign))
		}
	}
	t.Logf("%d requests, by status %v", asked, statuses)
}

// The pages of a list, by cursor, make up the whole list. The OpenAPI document has exactly the fields of the responses.
func TestOpenAPIDocumentMatchesTheResponses(t *testing.T) {
	t.Parallel()
	r := newSite(t, 1000*time.Hour)
	token := r.token("root", "admin")
	r.Protect(r.Acme, "late-one", 1)
	r.Sim.AddServer(r.Acme, "typing-error", map[string]string{r.Settings.BackupMetadataKey: "yes please"})
	r.Plan()
	var doc map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.get("/v1/openapi.json", token, nil).text), &doc))
	var server string
	require.NoError(t, r.Pool.QueryRow(r.Ctx, `SELECT server_id FROM volumes WHERE id = $1`, r.Volume).Scan(&server))
	paths := dig(doc, "paths")
	for _, route := range r.Router.Routes() { // each documented route exists, and each route is documented
		if strings.HasPrefix(route.Path, "/v1/") && openRoutes[route.Method+" "+route.Path] == "" && route.Method == http.MethodGet {
			require.Contains(t, paths, strings.NewReplacer(":volume_id", "{volume_id}", ":server_id", "{server_id}").Replace(route.Path))
		}
	}
	for path, item := range paths {
		found := slices.ContainsFunc(r.Router.Routes(), func(o *echo.Route) bool {
			return o.Method == http.MethodGet && o.Path == strings.NewReplacer("{volume_id}", ":volume_id", "{server_id}", ":server_id").Replace(path)
		})
		require.True(t, found, path)
		asked := strings.NewReplacer("{volume_id}", r.Volume, "{server_id}", server).Replace(path)
		got := r.get(asked, token, nil)
		require.Equal(t, http.StatusOK, got.StatusCode)
		var value any
		require.NoError(t, json.Unmarshal([]byte(got.text), &value))
		schema := dig(object(item), "get", "responses", "200", "content", "application/json", "schema")
		requireConforms(t, doc, schema, value, path)
		parameters, _ := dig(object(item), "get")["parameters"].([]any)
		for _, p := range parameters {
			if name, _ := object(p)["name"].(string); object(p)["in"] != "path" {
				require.NotContains(t, r.get(asked+"?"+name+"=", token, nil).text, "no such parameter", "%s?%s", path, name)
			}
		}
		require.Equal(t, http.StatusBadRequest, r.get(asked+"?unnamed=1", token, nil).StatusCode)
	}
	var problem any
	require.NoError(t, json.Unmarshal([]byte(r.get("/v1/volumes", "", nil).text), &problem))
	requireConforms(t, doc, map[string]any{"$ref": "#/components/schemas/Problem"}, problem, "problem")

	for _, sort := range []string{"-time", "time", "volume", "-volume"} {
		whole := r.ids(t, "/v1/backups?limit=1000&sort="+sort, "backups", "record_id", token)
		require.Len(t, whole, r.Count("true"))
		require.Equal(t, whole, r.ids(t, "/v1/backups?limit=3&sort="+sort, "backups", "record_id", token))
	}
	for _, sort := range []string{"name", "volume", "server", "size", "restore_point", "-name", "-volume", "-server", "-size", "-restore_point"} {
		whole := r.ids(t, "/v1/volumes?limit=1000&sort="+sort, "volumes", "volume_id", token)
		require.Len(t, whole, r.volumes(t), sort)
		require.Equal(t, whole, r.ids(t, "/v1/volumes?limit=2&sort="+sort, "volumes", "volume_id", token))
	}
	for _, sort := range []string{"name", "-name", "protected", "-late", "-failed", "points", "-gib", "-quota"} {
		whole := r.ids(t, "/v1/projects?limit=1000&sort="+sort, "projects", "project_id", token)
		require.Len(t, whole, 2)
		require.Equal(t, whole, r.ids(t, "/v1/projects?limit=1&sort="+sort, "projects", "project_id", token))
	}
	require.Len(t, r.ids(t, "/v1/projects?limit=10&search=GLOB", "projects", "project_id", token), 1)
	cookie := r.cookie("root", "admin")
	forth := r.pageURLs(t, "/projects?limit=1&sort=-late", "next", cookie)
	require.Len(t, forth, 2)
	back := r.pageURLs(t, forth[1], "prev", cookie)
	require.Equal(t, r.rows(t, forth[0], cookie), r.rows(t, back[1], cookie))
	require.Contains(t, r.get("/backups?limit=7", "", cookie).text, `<option selected>7</option>`, "any number may be asked for")
	for _, list := range []string{"/volumes?limit=2&sort=name", "/volumes?limit=2&sort=restore_point", "/volumes?limit=2&sort=-size", "/backups?limit=10&sort=-time", "/backups?limit=10&sort=time", "/backups?limit=10&sort=-volume"} {
		forth := r.pageURLs(t, list, "next", cookie)
		require.Greater(t, len(forth), 3, list)
		back := r.pageURLs(t, forth[len(forth)-1], "prev", cookie)
		slices.Reverse(back)
		require.Len(t, back, len(forth), list)
		for i := range forth {
			require.Equal(t, r.rows(t, forth[i], cookie), r.rows(t, back[i], cookie), "%s: page %d of %d", list, i, len(forth))
		}
	}
}

// pageURLs follows a list of the page to its end and returns the URLs of its pages.
func (r *site) pageURLs(t *testing.T, path, rel string, cookie *http.Cookie) (pages []string) {
	t.Helper()
	link := regexp.MustCompile(`<a href="([^"]+)" rel="` + rel + `">`)
	for list, _, _ := strings.Cut(path, "?"); ; {
		pages = append(pages, path)
		require.Less(t, len(pages), 100, "the links form a cycle")
		found := link.FindStringSubmatch(r.get(path, "", cookie).text)
		if found == nil {
			return pages
		}
		path = list + html.UnescapeString(found[1])
	}
}

// volumes returns the number of volumes in the database.
func (r *site) volumes(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, r.Pool.QueryRow(r.Ctx, `SELECT count(*) FROM volumes`).Scan(&n))
	return n
}

// rows returns the table of a page.
func (r *site) rows(t *testing.T, path string, cookie *http.Cookie) string {
	t.Helper()
	got := r.get(path, "", cookie)
	require.Equal(t, http.StatusOK, got.StatusCode, path)
	_, table, _ := strings.Cut(got.text, "<tbody>")
	require.NotEmpty(t, table, path)
	table, _, _ = strings.Cut(table, "</tbody>")
	return table
}

// ids returns the IDs of all pages of a list.
func (r *site) ids(t *testing.T, path, list, id, token string) (all []string) {
	t.Helper()
	for cursor := ""; ; {
		var page map[string]any
		require.NoError(t, json.Unmarshal([]byte(r.get(path+"&cursor="+cursor, token, nil).text), &page))
		rows, _ := page[list].([]any)
		for _, row := range rows {
			all = append(all, fmt.Sprint(object(row)[id]))
		}
		if cursor, _ = page["next"].(string); cursor == "" {
			return all
		}
	}
}

func object(in any) map[string]any {
	o, _ := in.(map[string]any)
	return o
}

func dig(in map[string]any, names ...string) map[string]any {
	for _, name := range names {
		in, _ = in[name].(map[string]any)
	}
	return in
}

// requireConforms compares a response with its schema: every field is described, and every described field exists.
func requireConforms(t *testing.T, doc, schema map[string]any, got any, at string) {
	t.Helper()
	if ref, is := schema["$ref"].(string); is {
		schema = dig(doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		require.NotEmpty(t, schema, ref)
	}
	if either, is := schema["anyOf"].([]any); is {
		if got == nil {
			return
		}
		requireConforms(t, doc, object(either[0]), got, at)
		return
	}
	switch value := got.(type) {
	case map[string]any:
		properties := dig(schema, "properties")
		if properties == nil && at == "/v1/openapi.json" {
			return
		}
		for name, inner := range value {
			require.Contains(t, properties, name, at)
			requireConforms(t, doc, object(properties[name]), inner, at+"."+name)
		}
		for name := range properties {
			require.Contains(t, value, name, at)
		}
	case []any:
		require.Equal(t, "array", schema["type"], at)
		for _, inner := range value {
			requireConforms(t, doc, dig(schema, "items"), inner, at+"[]")
		}
	case string:
		require.Equal(t, "string", schema["type"], at)
	case bool:
		require.Equal(t, "boolean", schema["type"], at)
	case float64:
		require.Contains(t, []any{"integer", "number"}, schema["type"], at)
	default:
		require.Fail(t, "null where the document does not allow it", at)
	}
}

// A sign-out ends the session on every replica at once, although they have cached its token, and even while Keystone is down.
func TestSignOutHoldsOnAllReplicas(t *testing.T) {
	t.Parallel()
	r := newSite(t, 1000*time.Hour)
	cookie, other := r.cookie("alice", "acme"), r.cookie("amy", "acme")
	first := r.URL
	r.Serve() // another replica
	require.Equal(t, http.StatusOK, r.get("/", "", cookie).StatusCode)
	require.Equal(t, http.StatusOK, r.get("/", "", other).StatusCode)
	second := r.URL
	r.URL = first
	r.Sim.AddFault(cloudsim.Fault{Route: "DELETE /identity/v3/auth/tokens", Do: cloudsim.Refuse{Status: http.StatusServiceUnavailable}})
	require.Equal(t, http.StatusSeeOther, r.send(http.MethodPost, "/sign-out", "", func(q *http.Request) { q.AddCookie(cookie) }).StatusCode)
	for _, replica := range []string{first, second} {
		r.URL = replica
		require.Contains(t, r.get("/", "", cookie).Header.Get("Location"), "/sign-in?ended=1")
		require.Equal(t, http.StatusOK, r.get("/", "", other).StatusCode, "nobody else is signed out")
	}
}

// After a few wrong passwords further ones are rejected without a request to Keystone, which would lock the account; sign-ins
// of the service user are always rejected.
func TestGuessedPasswordsAreRejected(t *testing.T) {
	t.Parallel()
	r := newSite(t, 1000*time.Hour)
	try := func(user, password string) webResponse {
		return r.send(http.MethodPost, "/sign-in", url.Values{"user": {user}, "domain": {"Default"}, "password": {password}, "project": {"acme"}}.Encode(), nil)
	}
	r.Sim.ResetCounts()
	for range 5 {
		require.Equal(t, http.StatusUnauthorized, try("alice", "wrong").StatusCode)
	}
	for range 300 {
		refused := try("alice", "alice-secret")
		require.Equal(t, http.StatusTooManyRequests, refused.StatusCode)
		require.NotEmpty(t, refused.Header.Get("Retry-After"))
		require.Contains(t, refused.text, "Try again at")
	}
	require.Equal(t, 5, r.Sim.Counts()["POST /identity/v3/auth/tokens"], "no further request to Keystone")
	require.Equal(t, http.StatusSeeOther, try("amy", "amy-secret").StatusCode, "others sign in meanwhile")
	r.Step(15 * time.Minute)
	require.Equal(t, http.StatusSeeOther, try("alice", "alice-secret").StatusCode)

	r.Sim.ResetCounts()
	for _, password := range []string{"wrong", r.Sim.OpenRC("")["OS_PASSWORD"]} {
		refused := try("staffeln", password)
		require.Equal(t, http.StatusForbidden, refused.StatusCode)
		require.Contains(t, refused.text, "sign in as yourself")
		require.Empty(t, refused.Cookies())
	}
	require.Zero(t, r.Sim.Counts()["POST /identity/v3/auth/tokens"])
}
