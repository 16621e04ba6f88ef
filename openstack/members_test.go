package openstack

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/openstack/cloudsim"
)

// person makes a user with that address, without any role.
func (h *hand) person(t *testing.T, name, email string) string {
	t.Helper()
	admin := h.cloud.admin.projectID
	said := h.must(t.Context(), t, admin, http.MethodPost, h.keystone("/users"),
		object{"user": object{"name": h.prefix + "-" + name, "password": "made-up", "domain_id": "default", "email": email}})
	id := str(said, "user", "id")
	cleanup(t, func(ctx context.Context) { h.must(ctx, t, admin, http.MethodDelete, h.keystone("/users/"+id), nil) })
	return id
}

func (h *hand) role(t *testing.T, name string) string {
	t.Helper()
	roles, _ := h.must(t.Context(), t, h.cloud.admin.projectID, http.MethodGet, h.keystone("/roles?name="+name), nil)["roles"].([]any)
	require.Len(t, roles, 1)
	r, _ := roles[0].(object)
	return str(r, "id")
}

func membersTold(t *testing.T, e *env) {
	ctx, h := t.Context(), e.hand
	admin, project, empty := h.cloud.admin.projectID, h.project(t, "told"), h.project(t, "untold")
	direct, grouped := h.person(t, "direct", "direct@told.example"), h.person(t, "grouped", "grouped@told.example")
	disabled, mute := h.person(t, "disabled", "disabled@told.example"), h.person(t, "mute", "")
	said := h.must(ctx, t, admin, http.MethodPost, h.keystone("/groups"), object{"group": object{"name": h.prefix + "-group", "domain_id": "default"}})
	group := str(said, "group", "id")
	cleanup(t, func(ctx context.Context) { h.must(ctx, t, admin, http.MethodDelete, h.keystone("/groups/"+group), nil) })
	for _, id := range []string{grouped, direct} { // who is there twice is told once
		h.must(ctx, t, admin, http.MethodPut, h.keystone("/groups/"+group+"/users/"+id), nil)
	}
	h.must(ctx, t, admin, http.MethodPut, h.keystone("/projects/"+project+"/groups/"+group+"/roles/"+h.role(t, "reader")), nil)
	for _, id := range []string{direct, disabled, mute} {
		h.must(ctx, t, admin, http.MethodPut, h.keystone("/projects/"+project+"/users/"+id+"/roles/"+h.role(t, "member")), nil)
	}
	h.must(ctx, t, admin, http.MethodPatch, h.keystone("/users/"+disabled), object{"user": object{"enabled": false}})

	members, err := e.cloud.Members(ctx)
	require.NoError(t, err)
	assert.ElementsMatch(t, []backup.Member{
		{UserID: direct, Name: h.prefix + "-direct", Email: "direct@told.example"},
		{UserID: grouped, Name: h.prefix + "-grouped", Email: "grouped@told.example"},
	}, members[project])
	assert.Empty(t, members[empty], "our own user has a role in it, and is not told")
}

// A role that a domain gives in all its projects is one like any other, in every
// project that comes; and all takes two calls.
func TestMembers_InheritedRolesCountAndTheCallsDoNotGrow(t *testing.T) {
	w := newWorld(t, cloudsim.Options{})
	auditor := w.sim.AddUser("auditor", "x", "auditor@ops.example")
	w.sim.GrantInherited(auditor, "default", "reader")
	group := w.sim.AddGroup("staff", w.sim.AddUser("carol", "x", "carol@ops.example"))
	var projects []string
	for range 200 {
		p := w.sim.AddProject("p")
		w.sim.GrantGroup(group, p, "member")
		projects = append(projects, p)
	}
	asked := 0
	c := w.connect(t, patient, WithObserver(func(_, route string, _ int) {
		if strings.Contains(route, "/users") || strings.Contains(route, "/role_assignments") || strings.Contains(route, "/domains") {
			asked++
		}
	}))
	members, err := c.Members(t.Context())
	require.NoError(t, err)
	for _, p := range projects {
		var to []string
		for _, m := range members[p] {
			to = append(to, m.Email)
		}
		require.ElementsMatch(t, []string{"auditor@ops.example", "carol@ops.example"}, to)
	}
	require.Equal(t, 2, asked)
}

// Whom a part of a list names would be told, and the others would not.
func TestMembers_APartOfAListIsAnError(t *testing.T) {
	w := newWorld(t, cloudsim.Options{})
	p := w.sim.AddProject("acme")
	for _, name := range []string{"alice", "amy", "bob", "dora"} {
		w.sim.Grant(w.sim.AddUser(name, "x", name+"@acme.example"), p, "member")
	}
	c := w.connect(t, patient)
	w.sim.LimitLists(2)
	members, err := c.Members(t.Context())
	require.ErrorContains(t, err, "list role assignments of all projects: ")
	require.ErrorContains(t, err, "Keystone gives only a part of the list: raise or unset list_limit in keystone.conf")
	require.Empty(t, members)
	for list, body := range map[string]string{
		"users": `{"users": [{"id": "a"}], "links": {"next": null}, "truncated": true}`, "next page": `{"users": [{"id": "a"}], "links": {"next": "http://elsewhere"}}`,
	} {
		w.sim.LimitLists(0)
		end := w.sim.AddFault(cloudsim.Fault{Route: "GET /identity/v3/users", Do: cloudsim.Refuse{Status: http.StatusOK, Body: body}})
		_, err = c.Members(t.Context())
		require.ErrorContains(t, err, "list users of all domains: ", list)
		require.ErrorContains(t, err, "only a part", list)
		end()
	}
	members, err = c.Members(t.Context())
	require.NoError(t, err)
	require.Len(t, members[p], 4)
}

// Where each domain has users of its own, Keystone lists those of one without
// a filter: the others are asked for by domain.
func TestMembers_UsersOfOtherDomainsAreAskedForByDomain(t *testing.T) {
	w := newWorld(t, cloudsim.Options{})
	p := w.sim.AddProject("acme")
	dora := w.sim.AddUser("dora", "x", "dora@ldap.example")
	w.sim.Grant(dora, p, "member")
	w.sim.AddFault(cloudsim.Fault{Route: "GET /identity/v3/users", Times: 1, Do: cloudsim.Refuse{Status: http.StatusOK, Body: `{"users": [], "links": {}}`}})
	c := w.connect(t, patient)
	members, err := c.Members(t.Context())
	require.NoError(t, err)
	require.Equal(t, []backup.Member{{UserID: dora, Name: "dora", Email: "dora@ldap.example"}}, members[p])
}
