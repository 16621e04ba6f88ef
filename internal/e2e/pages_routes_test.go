package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// openRoutes are the routes that show no project's data, each with the reason. A new route is tested like the others, unless
// it is added here.
var openRoutes = map[string]string{
	"GET /v1/health": "a probe", "GET /livez": "a probe", "GET /readyz": "a probe", "GET /metrics": "numbers",
	"GET /sign-in": "a form", "POST /sign-in": "it signs in at Keystone", "POST /sign-in/project": "the same", "POST /sign-out": "it ends a session", "POST /refresh": "it sets a cookie", "GET /style.css": "a file", "GET /icon.svg": "a file",
	"POST /v1/backup": "Cinder's delete check", "GET /v1/backup": "refused", "* /v1/backup": "refused",
}

// parameters are those in the path of a route.
var parameters = regexp.MustCompile(`:(\w+)`)

// caller is one kind of token: in the header for the read API, and in the cookie for the page.
type caller struct {
	token  string
	cookie *http.Cookie
}

// A tenant's token shows nothing of another project: in no route, by ID, by filter or by cursor. An invalid token shows
// nothing at all.
func TestEveryRouteShowsATokenOnlyItsProject(t *testing.T) {
	t.Parallel()
	r := newSite(t, 20*time.Hour)
	expired := caller{r.token("alice", "acme"), r.cookie("alice", "acme")}
	r.Advance(21*time.Hour, time.Hour)
	revoked := caller{r.token("bob", "globex"), r.cookie("bob", "globex")}
	for _, path := range []string{"/v1/volumes"} { // so that the token is in the cache while it was valid
		require.Equal(t, http.StatusOK, r.get(path, revoked.token, nil).StatusCode)
	}
	r.Sim.RevokeTokens(r.userID("bob"))
	r.Step(time.Minute)
	moved := r.transferVolumes()
	r.addTroubles()
	nobody := map[string]caller{
		"none": {}, "garbage": {"gAAAAAgarbage", &http.Cookie{Name: "staffeln", Value: "Z2FyYmFnZQgarbagegarbagegarbage"}},
		"expired": expired, "revoked": revoked, "without a role that counts": {token: r.token("eve", "acme")},
		"a cookie as a token": {token: r.cookie("alice", "acme").Value}, "a token as a cookie": {cookie: &http.Cookie{Name: "staffeln", Value: r.token("alice", "acme")}},
	}
	tenants := map[string]map[string]caller{
		"acme": {
			"member": {r.token("alice", "acme"), r.cookie("alice", "acme")},
			"reader": {r.token("amy", "acme"), r.cookie("amy", "acme")},
		},
		"globex": {"foreign": {r.token("bob", "globex"), r.cookie("bob", "globex")}},
	}
	operators := map[string]caller{
		"admin": {r.token("root", "admin"), r.cookie("root", "admin")}, "service user": {token: r.token("staffeln", "admin")},
	}
	cursors := r.adminCursors(operators["admin"].token)

	docs, err := os.ReadFile(filepath.Join("..", "..", "docs", "api.md"))
	require.NoError(t, err)
	walked, asked := []string{}, 0
	for _, route := range r.Router.Routes() {
		name := route.Method + " " + route.Path
		if route.Method != "echo_route_not_found" {
			require.Contains(t, string(docs), "`"+parameters.ReplaceAllString(route.Path, "{$1}")+"`", "docs/api.md does not name it")
		}
		if openRoutes[name] != "" || route.Method == "echo_route_not_found" {
			continue
		}
		walked = append(walked, name)
		for _, path := range r.requestsFor(route.Path, cursors) {
			for kind, w := range nobody {
				asked++
				got := r.ask(route.Method, path, w)
				require.Contains(t, []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusSeeOther}, got.StatusCode, "%s %s as %s", route.Method, path, kind)
				require.Empty(t, leaks(got.text, path, r.Mine), "%s %s as %s", route.Method, path, kind)
				require.Empty(t, leaks(got.text, path, r.Foreign), "%s %s as %s", route.Method, path, kind)
			}
			for project, all := range tenants {
				foreign := map[string]map[string]bool{"acme": r.Foreign, "globex": r.Mine}[project]
				for kind, w := range all {
					asked++
					got := r.ask(route.Method, path, w)
					require.Less(t, got.StatusCode, 500, "%s %s as %s of %s: %s", route.Method, path, kind, project, got.text)
					require.Empty(t, leaks(got.text, path, foreign), "%s %s as %s of %s", route.Method, path, kind, project)
				}
			}
		}
	}
	for _, must := range []string{"GET /v1/volumes", "GET /v1/volumes/:volume_id", "GET /v1/backups", "GET /v1/status", "GET /v1/projects", "GET /v1/openapi.json", "GET /", "GET /volumes", "GET /volumes/:volume_id", "GET /backups", "GET /projects"} {
		require.Contains(t, walked, must)
	}
	t.Logf("%d routes, %d requests", len(walked), asked)

	// Empty responses would also pass: so callers with rights must see their data.
	for _, path := range []string{"/v1/volumes", "/v1/backups", "/v1/status", "/volumes", "/backups", "/", "/volumes?search=web", "/backups?search=web"} {
		for kind, w := range operators {
			if w.cookie == nil && !strings.HasPrefix(path, "/v1/") {
				continue // the service user cannot sign in
			}
			got := r.ask(http.MethodGet, path, w)
			require.NotEmpty(t, leaks(got.text, path, r.Foreign), "%s as %s", path, kind)
			require.NotEmpty(t, leaks(got.text, path, r.Mine), "%s as %s", path, kind)
		}
		require.NotEmpty(t, leaks(r.ask(http.MethodGet, path, tenants["acme"]["reader"]).text, path, r.Mine), path)
	}
	for _, path := range []string{"/projects", "/v1/projects"} {
		require.Equal(t, http.StatusForbidden, r.ask(http.MethodGet, path, tenants["acme"]["member"]).StatusCode, path)
		text := r.ask(http.MethodGet, path, operators["admin"]).text
		require.True(t, strings.Contains(text, "acme") && strings.Contains(text, "globex"), path)
	}
	for _, id := range moved { // the volume belongs to the new owner, but not its history
		require.Equal(t, http.StatusOK, r.get("/v1/volumes/"+id, tenants["globex"]["foreign"].token, nil).StatusCode)
		require.Contains(t, r.get("/v1/backups?volume="+id, tenants["acme"]["member"].token, nil).text, id, "the old owner has its restore points")
	}
	for path, want := range map[string]int{"/v1/volumes/" + r.Volume: 200, "/v1/volumes/" + r.Other: 404, "/volumes/" + r.Volume: 200, "/volumes/" + r.Other: 404} {
		require.Equal(t, want, r.ask(http.MethodGet, path, tenants["acme"]["member"]).StatusCode, path)
		require.Equal(t, 200, r.ask(http.MethodGet, path, operators["admin"]).StatusCode, path)
	}
	// Objects of other projects and unknown objects have the same response.
	unknown := strings.ReplaceAll(r.get("/v1/volumes/00000000-0000-4000-8000-000000000000", tenants["acme"]["member"].token, nil).text, "0", "")
	foreign := strings.ReplaceAll(r.get("/v1/volumes/"+r.Other, tenants["acme"]["member"].token, nil).text, "0", "")
	require.Equal(t, detail(t, unknown), detail(t, foreign))
}

// transferVolumes transfers two volumes of acme with backups to globex: one to a server that asks for backups there too, one
// without a server. Both projects may see their IDs, but globex nothing else of acme's.
func (r *site) transferVolumes() []string {
	r.T.Helper()
	server, volumes := r.Protect(r.Acme, "moved-"+r.Acme[:6], 2)
	r.Mine[server], r.Mine["moved-"+r.Acme[:6]] = true, true
	r.Advance(7*time.Hour, time.Hour)
	for _, v := range volumes {
		for _, b := range r.RecordsOf(v) {
			require.NotEmpty(r.T, b.BackupID)
			r.Mine[b.ID], r.Mine[b.BackupID] = true, true
		}
		r.Sim.Detach(server, v)
		r.Sim.TransferVolume(v, r.Globex)
	}
	taker, _ := r.Protect(r.Globex, "taker-"+r.Globex[:6], 0)
	r.Foreign[taker], r.Foreign["taker-"+r.Globex[:6]] = true, true
	r.Sim.Attach(taker, volumes[0])
	r.Plan()
	r.Moved = volumes
	return volumes
}

// addTroubles gives each project what the overview shows: a finding, a waiting volume, a backup in progress, and a failure.
func (r *site) addTroubles() {
	r.T.Helper()
	for project, names := range map[string]map[string]bool{r.Acme: r.Mine, r.Globex: r.Foreign} {
		names[r.Sim.AddServer(project, "typo-"+project[:6], map[string]string{r.Settings.BackupMetadataKey: "yes please"})] = true
		for _, server := range []string{"new-" + project[:6], "poor-" + project[:6]} {
			id, volumes := r.Protect(project, server, 1)
			names[id], names[server], names[volumes[0]] = true, true, true
			if server[:3] == "new" {
				continue
			}
			r.Sim.SetVolumeStatus(volumes[0], "error")
		}
	}
	r.Plan()
	r.Dispatch()
}

func detail(t *testing.T, problem string) string {
	t.Helper()
	var p struct{ Detail string }
	require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(problem, `"status":44`, `"status":404`)), &p))
	return p.Detail
}

func (r *site) ask(method, path string, w caller) webResponse {
	r.T.Helper()
	return r.send(method, path, "", func(q *http.Request) {
		if w.token != "" {
			q.Header.Set("X-Auth-Token", w.token)
		}
		if w.cookie != nil {
			q.AddCookie(w.cookie)
		}
	})
}

// adminCursors returns cursors from an operator's lists: they point to rows that a tenant may not see.
func (r *site) adminCursors(token string) (cursors []string) {
	r.T.Helper()
	for _, path := range []string{"/v1/volumes?limit=2", "/v1/volumes?limit=2&sort=restore_point", "/v1/backups?limit=2", "/v1/backups?limit=2&sort=time", "/v1/backups?limit=3&project=globex", "/v1/volumes?limit=2&sort=-server", "/v1/volumes?limit=2&sort=-size", "/v1/backups?limit=2&sort=-volume", "/v1/projects?limit=1&sort=-late"} {
		var page struct{ Next string }
		require.NoError(r.T, json.Unmarshal([]byte(r.get(path, token, nil).text), &page))
		require.NotEmpty(r.T, page.Next, path)
		cursors = append(cursors, page.Next)
	}
	return cursors
}

// requestsFor returns paths and queries that ask a route for another project's data.
func (r *site) requestsFor(route string, cursors []string) (paths []string) {
	paths = []string{route}
	if strings.Contains(route, ":") || strings.Contains(route, "*") {
		paths = nil
		for _, id := range append([]string{r.Volume, r.Other, "data", "web-" + r.Globex[:6], "web-" + r.Acme[:6]}, r.Moved...) {
			paths = append(paths, strings.NewReplacer(":volume_id", id, ":server_id", id, "*", id).Replace(route))
		}
	}
	for _, base := range slices.Clone(paths) {
		for _, name := range []string{"project", "server", "volume", "search", "reason"} {
			for _, value := range []string{r.Globex, "globex", r.Acme, "acme", r.Volume, r.Other, "data", "web-" + r.Globex[:6], "web-" + r.Acme[:6]} {
				paths = append(paths, base+"?"+url.Values{name: {value}}.Encode())
			}
		}
		for _, cursor := range cursors {
			for _, sort := range []string{"", "name", "restore_point", "-time", "time", "-name", "-server", "-size", "-volume", "-late"} {
				for _, name := range []string{"cursor", "before"} {
					q := url.Values{name: {cursor}}
					if sort != "" {
						q.Set("sort", sort)
					}
					paths = append(paths, base+"?"+q.Encode())
				}
			}
		}
		for _, more := range []string{"protection=late", "protection=protected,late,waiting,unprotected,unknown,gone", "state=available", "state=failed,deleted", "from=2026-01-01", "from=yesterday", "ended=2026-01-01", "search=a", "search=%25", "search=-&sort=-volume", "search=-&sort=server", "until=2027-01-01", "limit=1000", "limit=1"} {
			paths = append(paths, base+"?"+more)
		}
	}
	return paths
}

func (r *site) userID(name string) string {
	r.T.Helper()
	_, h, err := r.Keystone.SignIn(r.Ctx, login(name))
	require.NoError(r.T, err)
	return h.UserID
}
