package cloudsim

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const keystone401 = `{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}` + "\n"

func TestAPI_EveryRefusedLoginIsTheSame401(t *testing.T) {
	l := newBench(t)
	disabled := l.cloud.AddProject("closed")
	l.cloud.DisableProject(disabled)
	for name, body := range map[string]m{
		"wrong password":   authBody("alice", "wrong", l.acme),
		"unknown user":     authBody("nobody", "x", l.acme),
		"no role":          authBody("alice", "alice", l.other),
		"unknown project":  authBody("staffeln", "staffeln", "nope"),
		"disabled project": authBody("staffeln", "staffeln", disabled),
	} {
		t.Run(name, func(t *testing.T) {
			l.t = t
			client{l: l}.post("/identity/v3/auth/tokens", body).wantBody(401, keystone401)
		})
	}
}

func TestAPI_InheritedRoleAppliesToFutureProjects(t *testing.T) {
	l := newBench(t)
	future := l.cloud.AddProject("future")
	l.login("staffeln", "staffeln", future)
	elsewhere := l.cloud.AddProjectIn(l.cloud.AddDomain("Other"), "elsewhere")
	client{l: l}.post("/identity/v3/auth/tokens", authBody("staffeln", "staffeln", elsewhere)).want(401) // the role is inherited in one domain only
	narrow := l.cloud.AddUser("narrow", "narrow", "")
	l.cloud.Grant(narrow, l.cloud.Cast().AdminProject, "admin")
	client{l: l}.post("/identity/v3/auth/tokens", authBody("narrow", "narrow", future)).want(401)
	l.cloud.RevokeInherited(l.cloud.Cast().Service, l.cloud.Cast().Domain, "admin")
	l.staffeln.get("/volume/v3/{p}/backups").want(401)
}

func TestAPI_TokenHasUserProjectRolesExpiryAndCatalog(t *testing.T) {
	l := newBench(t)
	r := client{l: l}.post("/identity/v3/auth/tokens", authBody("staffeln", "staffeln", l.acme)).want(201)
	if r.text("token.project.id") != l.acme || r.text("token.user.id") != l.cloud.Cast().Service ||
		r.text("token.expires_at") != "2026-11-22T07:27:00.000000Z" || r.text("token.issued_at") != "2026-11-22T06:27:00.000000Z" {
		t.Fatal(r.body)
	}
	var names []string
	for _, e := range r.list("token.roles") {
		role, _ := e.(m)
		names = append(names, fmt.Sprint(role["name"]))
	}
	if strings.Join(names, " ") != "admin reader member" {
		t.Fatal("want admin and the implied roles: ", names)
	}
	urls := map[string]string{}
	for _, e := range r.list("token.catalog") {
		entry, _ := e.(m)
		end, _ := entry["endpoints"].([]any)[0].(m)
		urls[fmt.Sprint(entry["type"])] = fmt.Sprint(end["url"])
	}
	want := map[string]string{
		"compute": l.url + "/compute/v2.1", "volumev3": l.url + "/volume/v3/" + l.acme,
		"block-storage": l.url + "/volume/v3/" + l.acme, "identity": l.url + "/identity/v3",
	}
	for k, v := range want {
		if urls[k] != v {
			t.Fatalf("%s at %s, want %s", k, urls[k], v)
		}
	}
	if unscoped := (client{l: l}).post("/identity/v3/auth/tokens", authBody("alice", "alice", "")).want(201); unscoped.at("token.catalog") != nil {
		t.Fatal("an unscoped token has a catalog")
	}
}

func TestAPI_ProjectScopeByNameAndDomainAndTokensFromTokens(t *testing.T) {
	l := newBench(t)
	body := authBody("alice", "alice", "")
	auth, _ := body["auth"].(m)
	auth["scope"] = m{"project": m{"name": "acme", "domain": m{"name": "Default"}}}
	r := client{l: l}.post("/identity/v3/auth/tokens", body).want(201)
	again := m{"auth": m{
		"identity": m{"methods": []string{"token"}, "token": m{"id": r.header.Get("X-Subject-Token")}},
		"scope":    m{"project": m{"id": l.acme}},
	}}
	l.clock.step(time.Minute)
	second := client{l: l}.post("/identity/v3/auth/tokens", again).want(201)
	if second.text("token.expires_at") != r.text("token.expires_at") {
		t.Fatal("a token issued for a token must expire with it")
	}
}

func TestAPI_TokensAreValidatedAndRevoked(t *testing.T) {
	l := newBench(t)
	subject := func(c client, token string) client { return c.with("X-Subject-Token", token) }
	r := subject(l.staffeln, l.tenant.token).get("/identity/v3/auth/tokens").want(200)
	if r.text("token.user.name") != "alice" || r.header.Get("X-Subject-Token") != l.tenant.token {
		t.Fatal(r.body)
	}
	subject(l.tenant, l.staffeln.token).get("/identity/v3/auth/tokens").wantBody(403,
		`{"error":{"code":403,"message":"You are not authorized to perform the requested action: identity:validate_token.","title":"Forbidden"}}`+"\n")
	subject(l.staffeln, "bogus").get("/identity/v3/auth/tokens").want(404)
	subject(l.staffeln, l.tenant.token).do("HEAD", "/identity/v3/auth/tokens", nil).want(200)
	subject(l.staffeln, l.tenant.token).delete("/identity/v3/auth/tokens").want(204)
	l.tenant.get(backupsPath).want(401)
	l.cloud.RevokeTokens(l.cloud.Cast().Service)
	l.staffeln.get(backupsPath).want(401)
}

func TestAPI_ExpiredTokenIsRefusedWithoutReason(t *testing.T) {
	l := newBench(t, func(o *Options) { o.TokenLife = 20 * time.Second })
	l.clock.step(20 * time.Second)
	for _, path := range []string{backupsPath, "/compute/v2.1/servers/detail"} {
		r := l.staffeln.get(path).wantBody(401,
			`{"error": {"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}}`)
		if got := r.header.Get("WWW-Authenticate"); got != `Keystone uri="`+l.url+`/identity/v3"` {
			t.Fatal(got)
		}
	}
	client{l: l}.get("/volume/v3/backups").want(401)
	client{l: l}.get("/identity/v3/projects").want(401)
}

func TestAPI_DisabledAndDeletedProjectsRefuseTheirTokens(t *testing.T) {
	l := newBench(t)
	l.cloud.DisableProject(l.acme)
	l.staffeln.get(backupsPath).want(401)
	l.cloud.EnableProject(l.acme)
	l.staffeln.get(backupsPath).want(200)
	l.cloud.DeleteProject(l.acme)
	l.staffeln.get(backupsPath).want(401)
	l.foreign.get("/identity/v3/projects/"+l.acme).wantBody(404,
		`{"error":{"code":404,"message":"Could not find project: `+l.acme+`.","title":"Not Found"}}`+"\n")
}

func TestAPI_ProjectsAndUsersComeInOneListWithoutPages(t *testing.T) {
	l := newBench(t)
	r := l.foreign.get("/identity/v3/projects?limit=1").want(200)
	if len(r.list("projects")) != 3 || r.at("links.next") != nil {
		t.Fatal(r.body)
	}
	l.cloud.DisableProject(l.other)
	for query, want := range map[string]int{"?enabled=true": 2, "?enabled=0": 1, "?domain_id=default": 3, "?domain_id=x": 0, "?name=acme": 1} {
		if got := len(l.foreign.get("/identity/v3/projects" + query).want(200).list("projects")); got != want {
			t.Fatalf("%s: %d projects, want %d", query, got, want)
		}
	}
	if r := l.foreign.get("/identity/v3/users?name=alice").want(200); r.text("users.0.email") != "alice@acme.example" {
		t.Fatal("no e-mail address in the list: " + r.body)
	}
	l.tenant.get("/identity/v3/projects").want(403)
	l.tenant.get("/identity/v3/users").want(403)
	l.tenant.get("/identity/v3/projects/" + l.acme).want(200)
}

func TestAPI_RoleAssignmentsWithNamesAndEffective(t *testing.T) {
	l := newBench(t)
	path := "/identity/v3/role_assignments?include_names=true&scope.project.id=" + l.acme
	r := l.foreign.get(path).want(200)
	if len(r.list("role_assignments")) != 1 || r.text("role_assignments.0.user.name") != "alice" || r.text("role_assignments.0.role.name") != "member" ||
		r.text("role_assignments.0.scope.project.name") != "acme" {
		t.Fatal("want only the role granted on the project: " + r.body)
	}
	r = l.foreign.get(path + "&effective=true").want(200)
	inherited, implied := 0, 0
	for _, e := range r.list("role_assignments") {
		a, _ := e.(m)
		if scope, _ := a["scope"].(m); scope["OS-INHERIT:inherited_to"] == "projects" {
			inherited++
		}
		if links, _ := a["links"].(m); links["prior_role"] != nil {
			implied++
		}
	}
	if len(r.list("role_assignments")) != 5 || inherited != 3 || implied != 3 {
		t.Fatalf("%d assignments, %d inherited, %d implied: %s", len(r.list("role_assignments")), inherited, implied, r.body)
	}
	if n := len(l.foreign.get("/identity/v3/role_assignments?user.id=" + l.alice).want(200).list("role_assignments")); n != 1 {
		t.Fatal(n)
	}
	l.tenant.get(path).want(403)
}

func TestAPI_ProjectsAndGrantsCanBeMadeOverHTTP(t *testing.T) {
	l := newBench(t)
	roleID := l.foreign.get("/identity/v3/roles?name=member").want(200).text("roles.0.id")
	p := l.foreign.post("/identity/v3/projects", m{"project": m{"name": "new"}}).want(201).text("project.id")
	l.foreign.post("/identity/v3/projects", m{"project": m{"name": "new"}}).want(409)
	u := l.foreign.post("/identity/v3/users", m{"user": m{"name": "carol", "password": "pw", "email": "c@d"}}).want(201).text("user.id")
	grant := "/identity/v3/projects/" + p + "/users/" + u + "/roles/" + roleID
	l.foreign.do("PUT", grant, nil).want(204)
	l.login("carol", "pw", p).get(backupsPath).want(200)
	l.foreign.delete(grant).want(204)
	l.foreign.delete(grant).want(404)
	l.foreign.do("PATCH", "/identity/v3/projects/"+p, m{"project": m{"enabled": false}}).want(200)
	l.foreign.delete("/identity/v3/users/" + u).want(204)
	l.foreign.delete("/identity/v3/projects/" + p).want(204)
	l.foreign.delete("/identity/v3/projects/" + p).want(404)
	l.tenant.post("/identity/v3/projects", m{"project": m{"name": "mine"}}).want(403)
}

func TestAPI_NewPasswordRevokesTokens(t *testing.T) {
	l := newBench(t)
	l.cloud.SetPassword(l.alice, "new")
	l.tenant.get(backupsPath).want(401)
	client{l: l}.post("/identity/v3/auth/tokens", authBody("alice", "alice", l.acme)).want(401)
	l.login("alice", "new", l.acme)
}
