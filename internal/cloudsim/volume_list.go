package cloudsim

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

var volumeOrders = func() map[string]func(a, b *volume) int {
	by := map[string]func(a, b *volume) int{
		"id":                byString(func(v *volume) string { return v.ID }),
		"name":              byString(func(v *volume) string { return v.Name }),
		"status":            byString(func(v *volume) string { return v.Status }),
		"project_id":        byString(func(v *volume) string { return v.Project }),
		"availability_zone": byString(func(v *volume) string { return v.Zone }),
		"size":              byInt(func(v *volume) int { return v.Size }),
		"created_at":        byTime(func(v *volume) time.Time { return v.Created }),
		"updated_at":        byTime(func(v *volume) time.Time { return v.Updated }),
	}
	by["display_name"] = by["name"]
	return by
}()

type briefView struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Links []link `json:"links"`
}

func listVolumes(detail bool) func(*Cloud, *call) response {
	return func(c *Cloud, q *call) response {
		l, a, good := c.cinderQuery(q)
		if !good {
			return a
		}
		o, good := sorting(l.keys, l.dirs, volumeOrders, "id", "created_at")
		if !good {
			return badRequest("Invalid input received: Invalid sort key")
		}
		filters, a, good := c.allowFilters(q, l.filters, "name", "name~", "status", "metadata", "bootable", "migration_status",
			"availability_zone", "group_id", "size", "created_at", "updated_at")
		if !good {
			return a
		}
		w := listing[volume]{table: c.volumes, order: o, offset: l.offset, limit: l.limit, counted: l.counted, keep: volumeFilter(q, filters)}
		if !l.all && !q.tok.system {
			w.within = nonNil(c.volumes.byProject[q.tok.project])
		}
		if q.query.Has("marker") {
			if w.marker = c.visibleVolume(q, q.last("marker")); w.marker == nil {
				return volumeNotFound(q.last("marker"))
			}
		}
		page, total := w.walk()
		last := ""
		if len(page) > 0 {
			last = page[len(page)-1].ID
		}
		if detail {
			views := make([]volumeView, 0, len(page))
			for _, v := range page {
				views = append(views, c.viewVolume(q, v))
			}
			return collection(q, "volumes", views, l, len(page), last, total)
		}
		views := make([]briefView, 0, len(page))
		for _, v := range page {
			views = append(views, briefView{v.ID, v.Name, q.links("volumes", v.ID)})
		}
		return collection(q, "volumes", views, l, len(page), last, total)
	}
}

func nonNil[T any](set map[string]*T) map[string]*T {
	if set == nil {
		return map[string]*T{}
	}
	return set
}

// volumeFilter returns the test for the filters in the query. A filter that Cinder does not know matches nothing.
func volumeFilter(q *call, filters []string) func(*volume) bool {
	var tests []func(*volume) bool
	if !q.admin { // only admins see the targets of migrations
		tests = append(tests, func(v *volume) bool { return !strings.HasPrefix(v.migration, targetPrefix) })
	}
	for _, f := range filters {
		value := q.last(f)
		switch f {
		case "name":
			tests = append(tests, func(v *volume) bool { return v.Name == value })
		case "name~":
			tests = append(tests, func(v *volume) bool { return strings.Contains(v.Name, value) })
		case "status":
			tests = append(tests, func(v *volume) bool { return v.Status == value })
		case "project_id":
			tests = append(tests, func(v *volume) bool { return v.Project == value })
		case "availability_zone":
			tests = append(tests, func(v *volume) bool { return v.Zone == value })
		case "bootable":
			tests = append(tests, func(v *volume) bool { return v.Bootable == isTrue(value) })
		case "migration_status":
			tests = append(tests, func(v *volume) bool { return v.migration == value })
		case "size":
			tests = append(tests, func(v *volume) bool { return strconv.Itoa(v.Size) == value })
		case "metadata":
			want := pythonDict(value)
			tests = append(tests, func(v *volume) bool { return want != nil && hasAll(v.Metadata, want) })
		case "created_at":
			tests = append(tests, func(v *volume) bool { return timeFilter(v.Created, value) })
		case "updated_at":
			tests = append(tests, func(v *volume) bool { return timeFilter(v.Updated, value) })
		default:
			tests = append(tests, func(*volume) bool { return false })
		}
	}
	return func(v *volume) bool {
		for _, t := range tests {
			if !t(v) {
				return false
			}
		}
		return true
	}
}

// pythonDict reads {'k':'v'}, as clients write metadata into a query, or JSON.
func pythonDict(s string) map[string]string {
	var out map[string]string
	if json.Unmarshal([]byte(s), &out) == nil || json.Unmarshal([]byte(strings.ReplaceAll(s, "'", `"`)), &out) == nil {
		return out
	}
	return nil
}

func hasAll(have, want map[string]string) bool {
	for k, w := range want {
		if h, ok := have[k]; !ok || h != w {
			return false
		}
	}
	return true
}

// timeFilter evaluates filters such as gt:2026-01-02T03:04:05; several are separated by commas.
func timeFilter(t time.Time, filter string) bool {
	for part := range strings.SplitSeq(filter, ",") {
		op, value, found := strings.Cut(part, ":")
		if !found || len(op) > 3 {
			op, value = "eq", part
		}
		w, err := time.Parse("2006-01-02T15:04:05", strings.TrimSuffix(value, "Z"))
		if err != nil {
			return false
		}
		n := t.Compare(w)
		if !map[string]bool{"gt": n > 0, "gte": n >= 0, "lt": n < 0, "lte": n <= 0, "eq": n == 0, "neq": n != 0}[op] {
			return false
		}
	}
	return true
}
