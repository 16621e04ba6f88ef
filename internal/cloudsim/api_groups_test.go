package cloudsim

import "testing"

func TestAPI_GroupRolesApplyToMembers(t *testing.T) {
	l := newBench(t)
	carol := l.cloud.AddUser("carol", "carol", "carol@acme.example")
	group := l.staffeln.post("/identity/v3/groups", m{"group": m{"name": "staff"}}).want(201).text("group.id")
	l.staffeln.do("PUT", "/identity/v3/groups/"+group+"/users/"+carol, nil).want(204)
	client{l: l}.post("/identity/v3/auth/tokens", authBody("carol", "carol", l.acme)).want(401)
	at := "/identity/v3/projects/" + l.acme + "/groups/" + group + "/roles/" + l.cloud.role("member").ID
	l.staffeln.do("PUT", at, nil).want(204)
	l.login("carol", "carol", l.acme)
	direct := l.staffeln.get("/identity/v3/role_assignments?scope.project.id=" + l.acme).want(200)
	if direct.text("role_assignments.1.group.id") != group || direct.text("role_assignments.1.user.id") != "" {
		t.Fatal(direct.body)
	}
	effective := l.staffeln.get("/identity/v3/role_assignments?effective&scope.project.id=" + l.acme + "&user.id=" + carol).want(200)
	if effective.text("role_assignments.0.user.id") != carol || effective.text("role_assignments.0.group.id") != "" {
		t.Fatal(effective.body)
	}
	l.staffeln.delete("/identity/v3/groups/" + group).want(204)
	client{l: l}.post("/identity/v3/auth/tokens", authBody("carol", "carol", l.acme)).want(401)
}
