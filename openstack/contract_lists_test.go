package openstack

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Releases with different responses. The releases' names are not in alphabetical order: compare with newer.
const (
	zed      = "zed"
	epoxy    = "epoxy"    // 2025.1
	gazpacho = "gazpacho" // 2026.1
)

// newer reports whether the cloud's release is later than Zed.
func (e *env) newer() bool { return e.release != zed }

// listOf returns the objects of a list in a response.
func listOf(response object, key string) (objects []object) {
	items, _ := response[key].([]any)
	for _, item := range items {
		if o, ok := item.(object); ok {
			objects = append(objects, o)
		}
	}
	return objects
}

// listIDs returns the IDs of one page of a Keystone list, and whether the response shows that there are more.
func (e *env) listIDs(t *testing.T, list, query string) (ids []string, more bool) {
	t.Helper()
	response := e.client.must(t.Context(), t, e.cloud.AdminProjectID(), http.MethodGet, e.client.keystone("/"+list+query), nil)
	for _, item := range listOf(response, list) {
		ids = append(ids, str(item, "id"))
	}
	truncated, _ := response["truncated"].(bool)
	next := str(response, "links", "next")
	assert.Equal(t, truncated, next != "", "%s%s: truncated and next come together", list, query)
	return ids, next != ""
}

// keystonePages: Zed ignores limit and marker and returns the whole list. Newer releases support both. With a limit they set
// "truncated" in each page that is followed by another one. They also set it in a full last page of projects, which is
// followed by an empty page, so "truncated" does not mean that items are lost.
func keystonePages(t *testing.T, e *env) {
	made := map[string][]string{}
	for _, name := range []string{"listed-1", "listed-2", "listed-3"} {
		made["projects"] = append(made["projects"], e.client.project(t, name))
		made["users"] = append(made["users"], e.client.person(t, name, ""))
	}
	for list, ours := range made {
		all, more := e.listIDs(t, list, "")
		require.False(t, more, "%s: the cloud has more than one page of this list", list)
		assert.Subset(t, all, ours)
		first, more := e.listIDs(t, list, "?limit=2")
		assert.Equal(t, e.newer(), more, list)
		if !e.newer() {
			assert.Subset(t, first, ours, "%s: limit is ignored", list)
			again, _ := e.listIDs(t, list, "?limit=2&marker="+first[1])
			assert.Subset(t, again, ours, "%s: marker is ignored", list)
			assert.Equal(t, first[0], again[0], "%s: marker is ignored", list)
			continue
		}
		assert.Len(t, first, 2, list)
		walked := first
		for more {
			var page []string
			page, more = e.listIDs(t, list, "?limit=2&marker="+walked[len(walked)-1])
			require.False(t, more && len(page) < 2, "%s: only a full page announces another", list)
			walked = append(walked, page...)
		}
		assert.Subset(t, walked, ours)
		assert.Len(t, slices.Compact(slices.Sorted(slices.Values(walked))), len(walked), "%s: each once", list)
		status, _ := e.client.send(t.Context(), t, e.cloud.AdminProjectID(), http.MethodGet,
			e.client.keystone("/"+list+"?limit=2&marker=00000000000000000000000000000000"), nil)
		assert.Equal(t, http.StatusNotFound, status, "%s: a marker that is gone", list)
	}
}

// otherLists: lists of roles and role assignments have no pages. The effect of a limit on them differs between releases, so
// a client must not send one.
func otherLists(t *testing.T, e *env) {
	ctx, admin := t.Context(), e.cloud.AdminProjectID()
	response := e.client.must(ctx, t, admin, http.MethodGet, e.client.keystone("/role_assignments?effective&include_names=true"), nil)
	all := listOf(response, "role_assignments")
	require.Greater(t, len(all), 2)
	status, response := e.client.send(ctx, t, admin, http.MethodGet, e.client.keystone("/role_assignments?effective&include_names=true&limit=2"), nil)
	if e.release == epoxy {
		assert.Equal(t, http.StatusBadRequest, status, "%v", response)
		status, response = e.client.send(ctx, t, admin, http.MethodGet, e.client.keystone("/roles?limit=2"), nil)
		assert.Equal(t, http.StatusBadRequest, status, "%v", response)
		assert.Contains(t, str(response, "error", "message"), "Additional properties are not allowed ('limit' was unexpected)")
		return
	}
	assert.Equal(t, http.StatusOK, status)
	assert.Len(t, listOf(response, "role_assignments"), len(all), "the limit is ignored")
	assert.Nil(t, in(response, "links", "next"))
	if e.release == gazpacho && e.real { // a client that follows the link gets the same page forever
		first, more := e.listIDs(t, "roles", "?limit=2")
		require.True(t, more)
		again, _ := e.listIDs(t, "roles", "?limit=2&marker="+first[1])
		assert.True(t, slices.Equal(first, again), "roles: %v and %v", first, again)
	}
}
