package cloudsim

import (
	"slices"
	"strings"
)

// cinderQuery is the common part of the queries of Cinder's lists.
type cinderQuery struct {
	limit, offset int
	all           bool // of every project; silently false without the admin role
	keys, dirs    []string
	filters       []string // the names of the other parameters, in their order
	counted       bool
}

func (c *Cloud) cinderQuery(q *call) (cinderQuery, response, bool) {
	out := cinderQuery{}
	var a response
	var ok bool
	if out.limit, a, ok = q.number("limit", c.opt.MaxLimit); !ok {
		return out, a, false
	}
	out.limit = min(out.limit, c.opt.MaxLimit)
	if out.offset, a, ok = q.number("offset", 0); !ok {
		return out, a, false
	}
	if out.keys, out.dirs, a, ok = q.cinderSort(); !ok {
		return out, a, false
	}
	if v := q.last("all_tenants"); q.admin && v != "" && !isTrue(v) && !isFalse(v) {
		if strings.Contains(q.route.template, "/backups") {
			return out, badRequest("all_tenants must be a boolean, got '" + v + "'."), false
		}
		return out, badRequest("Value '" + v + "' for 'all_tenants' is not a boolean."), false
	}
	out.all = q.admin && isTrue(q.last("all_tenants"))
	out.counted = q.minor >= 45 && isTrue(q.last("with_count"))
	for _, name := range q.parameters() {
		switch name {
		case "limit", "offset", "marker", "sort", "sort_key", "sort_dir", "all_tenants":
		case "with_count":
			if q.minor < 45 { // an ordinary filter before 3.45
				out.filters = append(out.filters, name)
			}
		default:
			out.filters = append(out.filters, name)
		}
	}
	return out, response{}, true
}

func (q *call) cinderSort() (keys, dirs []string, a response, ok bool) {
	switch {
	case !q.query.Has("sort"):
		keys, dirs = []string{"created_at"}, []string{"desc"}
		if q.query.Has("sort_key") {
			keys[0] = q.last("sort_key")
		}
		if q.query.Has("sort_dir") {
			dirs[0] = q.last("sort_dir")
		}
	case q.query.Has("sort_key") || q.query.Has("sort_dir"):
		return nil, nil, badRequest("The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used with the 'sort' parameter."), false
	default:
		for part := range strings.SplitSeq(q.last("sort"), ",") {
			key, dir, _ := strings.Cut(strings.TrimSpace(part), ":")
			keys, dirs = append(keys, key), append(dirs, or(dir, "desc"))
		}
	}
	for _, d := range dirs {
		if d != "asc" && d != "desc" {
			return nil, nil, badRequest("Invalid input received: Unknown sort direction, must be 'desc' or 'asc'."), false
		}
	}
	return keys, dirs, response{}, true
}

// allowFilters checks the filters of a user without the admin role: from 3.31 on an unknown one is refused, before 3.31 it is
// dropped. An admin may use any name; an unknown filter then matches nothing.
func (c *Cloud) allowFilters(q *call, filters []string, allowed ...string) ([]string, response, bool) {
	if q.admin {
		return filters, response{}, true
	}
	var good, bad []string
	for _, f := range filters {
		if slices.Contains(allowed, f) {
			good = append(good, f)
		} else {
			bad = append(bad, f)
		}
	}
	if len(bad) > 0 && q.minor >= 31 {
		return nil, badRequest("Invalid filters " + strings.Join(bad, ",") + " are found in query options."), false
	}
	return good, response{}, true
}

// collection returns the response to a list request.
func collection(q *call, name string, views any, l cinderQuery, shown int, lastID string, total int) response {
	body := map[string]any{name: views}
	if shown > 0 && shown == l.limit {
		body[name+"_links"] = []link{{"next", q.nextLink(lastID)}}
	}
	if l.counted {
		body["count"] = total
	}
	return ok(body)
}
