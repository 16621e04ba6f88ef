package openstack

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// A snapshot is what Nova and Cinder return for a server and its volume at one moment.
type snapshot struct {
	server      string // Nova's status; "" if the list of all servers lacks the server
	volumes     []string
	volume      string // Cinder's status
	attachments int
}

// read reads both as the admin, as a plan does. Nova must return the same by ID as in the list, unless something changed
// between the two requests.
func (e *env) read(t *testing.T, server, volume string) snapshot {
	t.Helper()
	ctx, admin := t.Context(), e.cloud.AdminProjectID()
	var s snapshot
	for range 5 {
		s = snapshot{}
		response := e.client.must(ctx, t, admin, http.MethodGet, e.client.nova("/servers/detail?all_tenants=1"), nil)
		for _, one := range listOf(response, "servers") {
			if str(one, "id") == server {
				s.server, s.volumes = str(one, "status"), volumesOf(one)
			}
		}
		_, response = e.client.send(ctx, t, admin, http.MethodGet, e.client.nova("/servers/"+server), nil)
		shown, _ := response["server"].(object)
		if s.server == str(shown, "status") && slices.Equal(s.volumes, volumesOf(shown)) {
			status, response := e.client.send(ctx, t, admin, http.MethodGet, e.client.cinder(admin, "/volumes/"+volume), nil)
			require.Equal(t, http.StatusOK, status, "%v", response)
			s.volume, s.attachments = str(response, "volume", "status"), len(listOf(object{"all": in(response, "volume", "attachments")}, "all"))
			return s
		}
	}
	require.Fail(t, "the list of servers and the server read by ID never agree", "%+v", s)
	return s
}

func volumesOf(server object) (ids []string) {
	for _, v := range listOf(server, "os-extended-volumes:volumes_attached") {
		ids = append(ids, str(v, "id"))
	}
	return ids
}

// runAction posts a server action and returns all different snapshots until the server has that status.
func (e *env) runAction(t *testing.T, server, volume string, action object, until string) (seen []snapshot) {
	t.Helper()
	e.client.must(t.Context(), t, e.home, http.MethodPost, e.client.nova("/servers/"+server+"/action"), action)
	e.client.until(t, "server "+until, func() bool {
		s := e.read(t, server, volume)
		require.NotEqual(t, "ERROR", s.server)
		if n := len(seen); n == 0 || fmt.Sprint(seen[n-1]) != fmt.Sprint(s) {
			seen = append(seen, s)
		}
		return s.server == until
	})
	t.Logf("%v: %+v", action, seen)
	return seen
}

// shelved: Nova lists an offloaded server with its volumes, but Cinder has no attachment any more. Only Nova shows which
// server the volume belongs to.
func shelved(t *testing.T, e *env) {
	volume := e.client.volume(t, e.home)
	server := e.client.server(t, e.home, volume, object{})
	assert.Equal(t, snapshot{"ACTIVE", []string{volume}, "in-use", 1}, e.read(t, server, volume))

	// A server that was booted from a volume is offloaded at once.
	for _, s := range e.runAction(t, server, volume, object{"shelve": nil}, "SHELVED_OFFLOADED") {
		assert.Equal(t, []string{volume}, s.volumes, "at every moment: %+v", s)
	}
	var s snapshot
	e.client.until(t, "volume reserved", func() bool { s = e.read(t, server, volume); return s.volume == "reserved" })
	assert.Equal(t, snapshot{"SHELVED_OFFLOADED", []string{volume}, "reserved", 0}, s)
	_, err := e.create(t, volume, backup.Full)
	fault := requireFault(t, backup.MeansVolumeState, err)
	assert.Contains(t, fault.Message, `"reserved"`)

	for _, s := range e.runAction(t, server, volume, object{"unshelve": nil}, "ACTIVE") {
		assert.Equal(t, []string{volume}, s.volumes, "at every moment: %+v", s)
	}
	e.client.until(t, "volume in use", func() bool { return e.read(t, server, volume).volume == "in-use" })
	e.createAvailable(t, volume, backup.Full)
}

// resized: during a resize Cinder shows the volume without attachments for short moments. Nova's list always has it.
func resized(t *testing.T, e *env) {
	ctx, admin := t.Context(), e.cloud.AdminProjectID()
	volume := e.client.volume(t, e.home)
	server := e.client.server(t, e.home, volume, object{})
	response := e.client.must(ctx, t, admin, http.MethodPost, e.client.nova("/flavors"),
		object{"flavor": object{"name": e.client.prefix + "-larger", "ram": 128, "vcpus": 1, "disk": 0}})
	flavor := str(response, "flavor", "id")
	cleanup(t, func(ctx context.Context) {
		e.client.must(ctx, t, admin, http.MethodDelete, e.client.nova("/flavors/"+flavor), nil)
	})
	for _, step := range []struct {
		action object
		until  string
	}{{object{"resize": object{"flavorRef": flavor}}, "VERIFY_RESIZE"}, {object{"confirmResize": nil}, "ACTIVE"}} {
		for _, s := range e.runAction(t, server, volume, step.action, step.until) {
			assert.Equal(t, []string{volume}, s.volumes, "at every moment: %+v", s)
			assert.Contains(t, []string{"in-use", "reserved", "attaching", "detaching"}, s.volume, "never available: %+v", s)
		}
		if step.until == "VERIFY_RESIZE" {
			e.createAvailable(t, volume, backup.Full) // while the resize waits for its confirmation, backups work
		}
	}
}

// serverGone: only a 404 by ID proves that a server is deleted. Its volume is then available and attached to nothing.
func serverGone(t *testing.T, e *env) {
	ctx := t.Context()
	volume := e.client.volume(t, e.home)
	server := e.client.server(t, e.home, volume, object{})
	e.client.must(ctx, t, e.home, http.MethodDelete, e.client.nova("/servers/"+server), nil)
	var s snapshot
	e.client.until(t, "server gone", func() bool { s = e.read(t, server, volume); return s.server == "" })
	e.client.until(t, "volume free", func() bool { s = e.read(t, server, volume); return s.volume == "available" })
	assert.Equal(t, snapshot{"", nil, "available", 0}, s)
	status, response := e.client.send(ctx, t, e.cloud.AdminProjectID(), http.MethodGet, e.client.nova("/servers/"+server), nil)
	assert.Equal(t, http.StatusNotFound, status)
	assert.Contains(t, str(response, "itemNotFound", "message"), server, "the message names the server")
}

// purged: a project is deleted together with its backups. No token of it can be issued; an admin gets a 404 that names the
// backup, on every release.
func purged(t *testing.T, e *env) {
	ctx, admin := t.Context(), e.cloud.AdminProjectID()
	volume, project := e.client.orphan(t)
	home := *e
	home.home = project
	b := home.createAvailable(t, volume, backup.Full)
	require.NoError(t, e.cloud.DeleteBackup(ctx, b))
	home.untilGone(t, b.ID)
	at := e.client.keystone("/projects/" + project)
	e.client.must(ctx, t, admin, http.MethodDelete, at, nil)

	status, response := e.client.send(ctx, t, admin, http.MethodGet, at, nil)
	assert.Equal(t, http.StatusNotFound, status)
	assert.Contains(t, str(response, "error", "message"), project)
	status, response = e.client.send(ctx, t, admin, http.MethodGet, e.client.cinder(admin, "/backups/"+b.ID), nil)
	assert.Equal(t, http.StatusNotFound, status)
	assert.Contains(t, str(response, "itemNotFound", "message"), "Backup "+b.ID+" could not be found.")
	_, err := e.connect(t, e.client.rc).Backup(ctx, project, b.ID) // a new client: it has no token from before the deletion
	requireMeaning(t, backup.MeansProjectGone, err)
}

// passwordChanged: a change of the password also ends the tokens, and a login with the old password is a 401 like any other
// wrong password. (Cinder and Nova cache for minutes that a token was valid.)
func passwordChanged(t *testing.T, e *env) {
	ctx, admin := t.Context(), e.cloud.AdminProjectID()
	rc := e.client.user(t, "member")
	other := &client{rc: rc, cloud: e.cloud, prefix: e.client.prefix, wait: e.client.wait, tokens: map[string]string{}}
	good := func() bool {
		status, _ := other.send(ctx, t, admin, http.MethodGet, e.client.keystone("/auth/projects"), nil)
		require.Contains(t, []int{http.StatusOK, http.StatusUnauthorized}, status)
		return status == http.StatusOK
	}
	require.True(t, good())
	response := e.client.must(ctx, t, admin, http.MethodGet, e.client.keystone("/users?name="+rc["OS_USERNAME"]), nil)
	users := listOf(response, "users")
	require.Len(t, users, 1)
	e.client.must(ctx, t, admin, http.MethodPatch, e.client.keystone("/users/"+str(users[0], "id")), object{"user": object{"password": "another"}})
	e.client.until(t, "the token of before is refused", func() bool { return !good() })
	login := func(password string) error {
		with := maps.Clone(rc)
		with["OS_PASSWORD"] = password
		credentials, err := FromEnv(func(name string) string { return with[name] })
		require.NoError(t, err)
		_, err = Connect(ctx, credentials, retrying)
		return err
	}
	requireMeaning(t, backup.MeansUnauthorised, login("made-up"))
	requireMeaning(t, backup.MeansUnauthorised, login("wrong from the beginning"))
	require.NoError(t, login("another"))
}
