package openstack

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// person makes a user with that address, without any role.
func (h *client) person(t *testing.T, name, email string) string {
	t.Helper()
	admin := h.cloud.admin.projectID
	response := h.must(t.Context(), t, admin, http.MethodPost, h.keystone("/users"),
		object{"user": object{"name": h.prefix + "-" + name, "password": "made-up", "domain_id": "default", "email": email}})
	id := str(response, "user", "id")
	cleanup(t, func(ctx context.Context) { h.must(ctx, t, admin, http.MethodDelete, h.keystone("/users/"+id), nil) })
	return id
}

func (h *client) role(t *testing.T, name string) string {
	t.Helper()
	roles, _ := h.must(t.Context(), t, h.cloud.admin.projectID, http.MethodGet, h.keystone("/roles?name="+name), nil)["roles"].([]any)
	require.Len(t, roles, 1)
	r, _ := roles[0].(object)
	return str(r, "id")
}

func membersOfProject(t *testing.T, e *env) {
	ctx, h := t.Context(), e.client
	admin, project, empty := h.cloud.admin.projectID, h.project(t, "staffed"), h.project(t, "empty")
	direct, grouped := h.person(t, "direct", "direct@acme.example"), h.person(t, "grouped", "grouped@acme.example")
	disabled, noEmail := h.person(t, "disabled", "disabled@acme.example"), h.person(t, "no-email", "")
	response := h.must(ctx, t, admin, http.MethodPost, h.keystone("/groups"), object{"group": object{"name": h.prefix + "-group", "domain_id": "default"}})
	group := str(response, "group", "id")
	cleanup(t, func(ctx context.Context) { h.must(ctx, t, admin, http.MethodDelete, h.keystone("/groups/"+group), nil) })
	for _, id := range []string{grouped, direct} { // a user with two roles is returned once
		h.must(ctx, t, admin, http.MethodPut, h.keystone("/groups/"+group+"/users/"+id), nil)
	}
	h.must(ctx, t, admin, http.MethodPut, h.keystone("/projects/"+project+"/groups/"+group+"/roles/"+h.role(t, "reader")), nil)
	for _, id := range []string{direct, disabled, noEmail} {
		h.must(ctx, t, admin, http.MethodPut, h.keystone("/projects/"+project+"/users/"+id+"/roles/"+h.role(t, "member")), nil)
	}
	h.must(ctx, t, admin, http.MethodPatch, h.keystone("/users/"+disabled), object{"user": object{"enabled": false}})

	// Users with a role in every project (a laboratory with Barbican has some) are members of each project.
	everywhere, err := e.cloud.Members(ctx, empty)
	require.NoError(t, err)
	for _, m := range everywhere {
		assert.NotEqual(t, e.cloud.UserID(), m.UserID, "our own user has a role in it, and is not returned")
	}
	members, err := e.cloud.Members(ctx, project)
	require.NoError(t, err)
	assert.ElementsMatch(t, append([]backup.Member{
		{UserID: direct, Name: h.prefix + "-direct", Email: "direct@acme.example"},
		{UserID: grouped, Name: h.prefix + "-grouped", Email: "grouped@acme.example"},
	}, everywhere...), members)
	if !e.real {
		assert.Empty(t, everywhere)
	}
}

// A role that is inherited from a domain counts in all its projects, including later ones. Each project has its own request,
// and a user of many projects is read once.
func TestMembers_InheritedRolesCountAndUsersAreReadOnce(t *testing.T) {
	w := newSimulation(t, cloudsim.Options{})
	auditor := w.sim.AddUser("auditor", "x", "auditor@ops.example")
	w.sim.GrantInherited(auditor, "default", "reader")
	group := w.sim.AddGroup("staff", w.sim.AddUser("carol", "x", "carol@ops.example"))
	var projects []string
	for range 20 {
		p := w.sim.AddProject("p")
		w.sim.GrantGroup(group, p, "member")
		projects = append(projects, p)
	}
	assignments, users := 0, 0
	c := w.connect(t, retrying, WithObserver(func(_, route string, _ int, _ time.Duration) {
		switch {
		case strings.Contains(route, "/role_assignments"):
			assignments++
		case strings.Contains(route, "/users"):
			users++
		}
	}), InTurn())
	for _, p := range projects {
		require.ElementsMatch(t, []string{"auditor@ops.example", "carol@ops.example"}, addresses(t, c, p))
	}
	require.Equal(t, 20, assignments)
	require.LessOrEqual(t, users, 3, "and our own")
}

// The assignments of all projects may take longer than any request may, so only those of one project are requested (A5).
func TestMembers_RequestsAssignmentsOfOneProjectOnly(t *testing.T) {
	w := newSimulation(t, cloudsim.Options{})
	p := w.sim.AddProject("acme")
	w.sim.Grant(w.sim.AddUser("alice", "x", "alice@acme.example"), p, "member")
	w.sim.AddFault(cloudsim.Fault{
		Route: "GET /identity/v3/role_assignments", Do: cloudsim.Refuse{Status: http.StatusGatewayTimeout},
		Match: func(r cloudsim.Request) bool { return r.Query.Get("scope.project.id") != p },
	})
	require.Equal(t, []string{"alice@acme.example"}, addresses(t, w.connect(t, retrying), p))
}

func addresses(t *testing.T, c *Cloud, project string) (to []string) {
	t.Helper()
	members, err := c.Members(t.Context(), project)
	require.NoError(t, err)
	for _, m := range members {
		to = append(to, m.Email)
	}
	return to
}

// Otherwise only the members in the truncated list would get the report.
func TestMembers_TruncatedListIsAnError(t *testing.T) {
	w := newSimulation(t, cloudsim.Options{})
	p := w.sim.AddProject("acme")
	for _, name := range []string{"alice", "amy", "bob", "dora"} {
		w.sim.Grant(w.sim.AddUser(name, "x", name+"@acme.example"), p, "member")
	}
	c := w.connect(t, retrying)
	w.sim.LimitLists(2)
	members, err := c.Members(t.Context(), p)
	require.ErrorContains(t, err, "list role assignments of project "+p+": ")
	require.ErrorContains(t, err, "Keystone returns only a part of the list: raise or unset list_limit in keystone.conf")
	require.Empty(t, members)
	w.sim.LimitLists(0)
	require.Len(t, addresses(t, c, p), 4)
}

// For a project with very many members the pages of the list of users are read, to its end on each release, instead of one
// call for each user. Users of domains that no list contains are read by their IDs.
func TestMembers_OfLargeProjectAreReadInPages(t *testing.T) {
	for _, release := range cloudsim.Releases() {
		t.Run(release, func(t *testing.T) {
			w := newSimulation(t, cloudsim.Options{Release: release, KeystoneMaxLimit: 40})
			p := w.sim.AddProject("acme")
			for i := range 130 {
				w.sim.Grant(w.sim.AddUser(fmt.Sprintf("user-%d", i), "x", fmt.Sprintf("user-%d@acme.example", i)), p, "member")
			}
			users := 0
			c := w.connect(t, retrying, InTurn(), WithObserver(func(_, route string, _ int, _ time.Duration) {
				if strings.Contains(route, "/users") {
					users++
				}
			}))
			require.Len(t, addresses(t, c, p), 130)
			require.LessOrEqual(t, users, 10)
		})
	}
}

// If each domain has its own user backend, Keystone lists only one domain's users: the others are read by their IDs.
func TestMembers_UsersOfOtherDomainsAreReadByID(t *testing.T) {
	w := newSimulation(t, cloudsim.Options{})
	p := w.sim.AddProject("acme")
	dora := w.sim.AddUser("dora", "x", "dora@ldap.example")
	w.sim.Grant(dora, p, "member")
	w.sim.AddFault(cloudsim.Fault{Route: "GET /identity/v3/users", Do: cloudsim.Refuse{Status: http.StatusOK, Body: `{"users": [], "links": {}}`}})
	require.Equal(t, []string{"dora@ldap.example"}, addresses(t, w.connect(t, retrying), p))
}

// Keystone 27 and newer silently truncate the list of projects at a thousand (A4).
func TestProjects_AreListedCompletelyOnEachRelease(t *testing.T) {
	for _, release := range cloudsim.Releases() {
		t.Run(release, func(t *testing.T) {
			w := newSimulation(t, cloudsim.Options{Release: release, KeystoneMaxLimit: 3})
			want := map[string]bool{}
			for range 10 {
				want[w.sim.AddProject("p")] = true
			}
			c := w.connect(t, retrying)
			for range 2 { // the second time uses what was learned the first time
				seen, err := c.Observe(t.Context())
				require.NoError(t, err)
				require.Empty(t, seen.Unseen)
				got := map[string]bool{}
				for _, p := range seen.Projects {
					require.False(t, got[p.ID], "twice")
					got[p.ID] = true
				}
				for id := range want {
					require.True(t, got[id])
				}
			}
		})
	}
}

// A list that is marked as truncated and can't be continued is an error.
func TestProjects_TruncatedListIsReported(t *testing.T) {
	w := newSimulation(t, cloudsim.Options{})
	w.sim.AddProject("acme")
	w.sim.LimitLists(1)
	seen, err := w.connect(t, retrying).Observe(t.Context())
	require.NoError(t, err)
	require.Len(t, seen.Unseen, 1)
	require.Contains(t, seen.Unseen[0], "only a part of the list")
}

// A list of projects without our own project is not trusted (A6).
func TestProjects_ListWithoutOurProjectIsReported(t *testing.T) {
	w := newSimulation(t, cloudsim.Options{})
	w.sim.AddServer(w.sim.AddProject("acme"), "web", nil)
	c := w.connect(t, retrying)
	w.sim.AddFault(cloudsim.Fault{Route: "GET /identity/v3/projects", Do: cloudsim.Refuse{Status: http.StatusOK, Body: `{"projects": [], "links": {}}`}})
	seen, err := c.Observe(t.Context())
	require.NoError(t, err)
	require.Len(t, seen.Unseen, 1)
	require.Contains(t, seen.Unseen[0], "not even our own")
}
