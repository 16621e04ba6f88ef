package cloudsim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// pagedList returns a list of Keystone that has pages in releases newer than Zed: projects, users, domains and groups,
// sorted by ID. It is cut at max_db_limit, silently unless a limit is given; with a limit a full page has links.next. Zed
// ignores limit and marker.
func pagedList[T any](c *Cloud, q *call, name string, items []T, id func(T) string) response {
	if !c.newerThanZed() {
		return wholeList(c, q, name, items)
	}
	slices.SortFunc(items, func(a, b T) int { return strings.Compare(id(a), id(b)) })
	if marker := q.query.Get("marker"); q.query.Has("marker") {
		at := slices.IndexFunc(items, func(t T) bool { return id(t) == marker })
		if at < 0 {
			return keystoneFault(http.StatusNotFound, "Marker "+marker+" could not be found.")
		}
		items = items[at+1:]
	}
	limit, asked := c.keystoneLimit(q)
	if limit < 0 {
		return keystoneFault(http.StatusBadRequest, "Invalid input for query parameters limit. Value: "+q.query.Get("limit")+".")
	}
	full := len(items) >= limit
	if name != "projects" && name != "domains" && unfiltered(q) { // these lists read one item more, to know whether there is a next page
		full = len(items) > limit
	}
	items = items[:min(len(items), limit)]
	a := wholeList(c, q, name, items)
	if body, is := a.body.(map[string]any); is && asked && full && len(items) > 0 {
		body["truncated"] = true
		body["links"] = map[string]any{"next": q.keystoneNext(id(items[len(items)-1]), limit), "self": q.base + q.path, "previous": nil}
	}
	return a
}

// unpaged returns a list that has no pages in any release. Epoxy refuses limit and marker.
func unpaged[T any](c *Cloud, q *call, name string, items []T) response {
	for _, word := range []string{"limit", "marker"} {
		if c.opt.Release == Epoxy && q.query.Has(word) {
			return keystoneFault(http.StatusBadRequest, "Additional properties are not allowed ('"+word+"' was unexpected)")
		}
	}
	return wholeList(c, q, name, items)
}

// keystoneLimit returns the size of a page and whether it was requested; a negative size is invalid.
func (c *Cloud) keystoneLimit(q *call) (limit int, asked bool) {
	most := c.opt.KeystoneMaxLimit
	if !q.query.Has("limit") {
		if c.listLimit > 0 {
			return min(c.listLimit, most), true
		}
		return most, false
	}
	n, err := strconv.Atoi(q.query.Get("limit"))
	switch {
	case err != nil || n < 0:
		return -1, true
	case n == 0:
		return most, true
	}
	return min(n, most), true
}

func unfiltered(q *call) bool {
	for name := range q.query {
		if name != "limit" && name != "marker" {
			return false
		}
	}
	return true
}

func (q *call) keystoneNext(marker string, limit int) string {
	next := maps.Clone(q.query)
	next.Set("marker", marker)
	next.Set("limit", itoa(limit))
	return q.base + q.path + "?" + next.Encode()
}
