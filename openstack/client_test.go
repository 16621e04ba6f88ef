package openstack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A client does to a cloud what tenants and operators do: it makes servers, volumes and projects. It sends plain HTTP
// requests as the user of the OS_* variables, so that the code under test does not test itself, and it deletes what it made.
type client struct {
	rc     map[string]string
	cloud  *Cloud // used only for its endpoints
	prefix string // of every name that the client gives
	wait   func(t *testing.T)
	tokens map[string]string // by project
}

type object = map[string]any

// send sends a request with a token of that project, and returns the status and the response.
func (h *client) send(ctx context.Context, t *testing.T, project, method, url string, body any) (int, object) {
	t.Helper()
	status, response, _ := h.request(ctx, t, h.token(ctx, t, project), method, url, body)
	return status, response
}

// must is send that fails the test unless the request succeeds.
func (h *client) must(ctx context.Context, t *testing.T, project, method, url string, body any) object {
	t.Helper()
	status, response := h.send(ctx, t, project, method, url, body)
	require.Less(t, status, 300, "%s %s: %v", method, url, response)
	return response
}

func (h *client) request(ctx context.Context, t *testing.T, token, method, url string, body any) (int, object, http.Header) {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	if body == nil {
		text = nil
	}
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(text))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Auth-Token", token)
	if strings.HasPrefix(url, h.cloud.admin.base(nova)) {
		req.Header.Set("OpenStack-API-Version", "compute 2.37") // the first microversion that accepts "networks": "none"
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close() //nolint:errcheck // a test's own request
	response := object{}
	_ = json.NewDecoder(resp.Body).Decode(&response) // some responses have no body; the status is enough
	return resp.StatusCode, response, resp.Header
}

func (h *client) token(ctx context.Context, t *testing.T, project string) string {
	t.Helper()
	if id, ok := h.tokens[project]; ok {
		return id
	}
	user := object{"name": h.rc["OS_USERNAME"], "password": h.rc["OS_PASSWORD"], "domain": object{"name": h.rc["OS_USER_DOMAIN_NAME"]}}
	status, response, header := h.request(ctx, t, "", http.MethodPost, h.cloud.admin.identity+"/auth/tokens", object{"auth": object{
		"identity": object{"methods": []string{"password"}, "password": object{"user": user}},
		"scope":    object{"project": object{"id": project}},
	}})
	require.Equal(t, http.StatusCreated, status, "token of project %s: %v", project, response)
	h.tokens[project] = header.Get("X-Subject-Token")
	return h.tokens[project]
}

func (h *client) cinder(project, path string) string {
	return strings.Replace(h.cloud.admin.base(cinder), h.cloud.admin.projectID, project, 1) + path
}
func (h *client) nova(path string) string     { return h.cloud.admin.base(nova) + path }
func (h *client) keystone(path string) string { return h.cloud.admin.identity + path }

// in returns the value at a path of a response.
func in(o object, path ...string) any {
	var v any = o
	for _, p := range path {
		m, _ := v.(object)
		v = m[p]
	}
	return v
}

func str(o object, path ...string) string {
	s, _ := in(o, path...).(string)
	return s
}

// until waits until done returns true.
func (h *client) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 240 {
		if done() {
			return
		}
		h.wait(t)
	}
	require.Fail(t, "condition not met in time", what)
}

// cleanup runs f at the end of the test. The test's own context has ended by then.
func cleanup(t *testing.T, f func(ctx context.Context)) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() { f(ctx) })
}

// volume makes a volume of 1 GiB. The volume and its backups are deleted at the end of the test.
func (h *client) volume(t *testing.T, project string) string {
	t.Helper()
	ctx := t.Context()
	response := h.must(ctx, t, project, http.MethodPost, h.cinder(project, "/volumes"), object{"volume": object{"size": 1, "name": h.prefix + "-volume"}})
	id := str(response, "volume", "id")
	at := h.cinder(project, "/volumes/"+id)
	cleanup(t, func(ctx context.Context) {
		h.removeBackups(ctx, t, project, id)
		h.until(t, "volume deleted", func() bool {
			status, _ := h.send(ctx, t, project, http.MethodDelete, at, nil)
			return status == http.StatusNotFound
		})
	})
	h.until(t, "volume available", func() bool {
		status := str(h.must(ctx, t, project, http.MethodGet, at, nil), "volume", "status")
		require.NotEqual(t, "error", status, "Cinder did not make volume %s", id)
		return status == "available"
	})
	return id
}

func (h *client) removeBackups(ctx context.Context, t *testing.T, project, volume string) {
	t.Helper()
	h.until(t, "backups deleted", func() bool {
		response := h.must(ctx, t, project, http.MethodGet, h.cinder(project, "/backups/detail?volume_id="+volume), nil)
		all, _ := response["backups"].([]any)
		for _, b := range all {
			b, _ := b.(object)
			// Refused while another backup depends on it; the loop tries again.
			h.send(ctx, t, project, http.MethodDelete, h.cinder(project, "/backups/"+str(b, "id")), nil)
		}
		return len(all) == 0
	})
}

// server boots a server from the volume, with that metadata.
func (h *client) server(t *testing.T, project, volume string, metadata object) string {
	t.Helper()
	ctx := t.Context()
	h.must(ctx, t, project, http.MethodPost, h.cinder(project, "/volumes/"+volume+"/action"), object{"os-set_bootable": object{"bootable": true}})
	flavors, _ := h.must(ctx, t, project, http.MethodGet, h.nova("/flavors"), nil)["flavors"].([]any)
	require.NotEmpty(t, flavors, "the cloud has no flavor to make a server of")
	flavor, _ := flavors[0].(object)
	response := h.must(ctx, t, project, http.MethodPost, h.nova("/servers"), object{"server": object{
		"name": h.prefix + "-server", "flavorRef": str(flavor, "id"), "networks": "none", "metadata": metadata,
		"block_device_mapping_v2": []object{{"boot_index": 0, "uuid": volume, "source_type": "volume", "destination_type": "volume"}},
	}})
	id := str(response, "server", "id")
	at := h.nova("/servers/" + id)
	cleanup(t, func(ctx context.Context) {
		h.until(t, "server deleted", func() bool {
			status, _ := h.send(ctx, t, project, http.MethodDelete, at, nil)
			return status == http.StatusNotFound
		})
	})
	h.until(t, "server active", func() bool {
		return str(h.must(ctx, t, project, http.MethodGet, at, nil), "server", "status") == "ACTIVE"
	})
	return id
}

// project makes a project. The service user's inherited role applies to it.
func (h *client) project(t *testing.T, name string) string {
	t.Helper()
	admin := h.cloud.admin.projectID
	response := h.must(t.Context(), t, admin, http.MethodPost, h.keystone("/projects"),
		object{"project": object{"name": h.prefix + "-" + name, "domain_id": "default"}})
	id := str(response, "project", "id")
	cleanup(t, func(ctx context.Context) { h.must(ctx, t, admin, http.MethodDelete, h.keystone("/projects/"+id), nil) })
	return id
}

// orphan makes a volume in a new project that the test deletes. At the end what is left is deleted as the admin.
func (h *client) orphan(t *testing.T) (volume, project string) {
	t.Helper()
	admin := h.cloud.admin.projectID
	response := h.must(t.Context(), t, admin, http.MethodPost, h.keystone("/projects"),
		object{"project": object{"name": h.prefix + "-orphan", "domain_id": "default"}})
	project = str(response, "project", "id")
	response = h.must(t.Context(), t, project, http.MethodPost, h.cinder(project, "/volumes"), object{"volume": object{"size": 1, "name": h.prefix + "-volume"}})
	volume = str(response, "volume", "id")
	cleanup(t, func(ctx context.Context) {
		h.send(ctx, t, admin, http.MethodDelete, h.keystone("/projects/"+project), nil) // in case the test ended before it deleted the project
		h.until(t, "volume deleted", func() bool {
			status, _ := h.send(ctx, t, admin, http.MethodDelete, h.cinder(admin, "/volumes/"+volume), nil)
			return status == http.StatusNotFound
		})
	})
	h.until(t, "volume available", func() bool {
		return str(h.must(t.Context(), t, project, http.MethodGet, h.cinder(project, "/volumes/"+volume), nil), "volume", "status") == "available"
	})
	return volume, project
}

// user makes a user with that role in the admin project only, and returns the environment for its login.
func (h *client) user(t *testing.T, role string) map[string]string {
	t.Helper()
	ctx, admin := t.Context(), h.cloud.admin.projectID
	name := fmt.Sprintf("%s-%s", h.prefix, role)
	response := h.must(ctx, t, admin, http.MethodPost, h.keystone("/users"),
		object{"user": object{"name": name, "password": "made-up", "domain_id": "default"}})
	id := str(response, "user", "id")
	cleanup(t, func(ctx context.Context) { h.must(ctx, t, admin, http.MethodDelete, h.keystone("/users/"+id), nil) })
	roles, _ := h.must(ctx, t, admin, http.MethodGet, h.keystone("/roles?name="+role), nil)["roles"].([]any)
	for _, r := range roles {
		if r, _ := r.(object); str(r, "name") == role {
			h.must(ctx, t, admin, http.MethodPut, h.keystone("/projects/"+admin+"/users/"+id+"/roles/"+str(r, "id")), nil)
		}
	}
	rc := maps.Clone(h.rc)
	rc["OS_USERNAME"], rc["OS_PASSWORD"], rc["OS_USER_DOMAIN_NAME"] = name, "made-up", "Default"
	return rc
}

// quota sets the project's quota of backups.
func (h *client) quota(t *testing.T, project string, backups int) {
	t.Helper()
	admin := h.cloud.admin.projectID
	h.must(t.Context(), t, admin, http.MethodPut, h.cinder(admin, "/os-quota-sets/"+project), object{"quota_set": object{"backups": backups}})
}
