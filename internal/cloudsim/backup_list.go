package cloudsim

import (
	"slices"
	"strings"
	"time"
)

var backupOrders = map[string]func(a, b *backup) int{
	"id":             byString(func(b *backup) string { return b.ID }),
	"name":           byString(func(b *backup) string { return b.Name }),
	"status":         byString(func(b *backup) string { return b.Status }),
	"volume_id":      byString(func(b *backup) string { return b.Volume }),
	"size":           byInt(func(b *backup) int { return b.Size }),
	"created_at":     byTime(func(b *backup) time.Time { return b.Created }),
	"updated_at":     byTime(func(b *backup) time.Time { return b.Updated }),
	"data_timestamp": byTime(func(b *backup) time.Time { return b.Data }),
}

func listBackups(detail bool) func(*Cloud, *call) response {
	return func(c *Cloud, q *call) response {
		l, a, good := c.cinderQuery(q)
		if !good {
			return a
		}
		o, good := sorting(l.keys, l.dirs, backupOrders, "id", "created_at", "volume_id")
		if !good || q.minor < 37 && slices.Contains(l.keys, "name") { // before 3.37 backups can't be sorted by name
			return badRequest("Invalid input received: Invalid sort key")
		}
		filters, a, good := c.allowFilters(q, l.filters, "name", "status", "volume_id")
		if !good {
			return a
		}
		w := listing[backup]{table: c.backups, order: o, offset: l.offset, limit: l.limit, counted: l.counted}
		w.within, w.keep = c.narrowBackups(q, l.all || q.tok.system, filters)
		if q.query.Has("marker") {
			q.vars["backup"] = q.last("marker")
			if w.marker = c.visibleBackup(q); w.marker == nil {
				return backupNotFound(q.last("marker"))
			}
		}
		page, total := w.walk()
		last := ""
		if len(page) > 0 {
			last = page[len(page)-1].ID
		}
		if detail {
			views := make([]backupView, 0, len(page))
			for _, b := range page {
				views = append(views, c.viewBackup(q, b))
			}
			return collection(q, "backups", views, l, len(page), last, total)
		}
		views := make([]map[string]any, 0, len(page))
		for _, b := range page {
			views = append(views, q.viewBrief(b))
		}
		return collection(q, "backups", views, l, len(page), last, total)
	}
}

// narrowBackups returns the smallest indexed set that contains the result, and the test for the rest. Only six filters
// exist; any other name matches nothing, without an error.
func (c *Cloud) narrowBackups(q *call, all bool, filters []string) (map[string]*backup, func(*backup) bool) {
	var within map[string]*backup
	var tests []func(*backup) bool
	if !all {
		own := q.tok.project
		within = nonNil(c.backups.byProject[own])
		tests = append(tests, func(b *backup) bool { return b.Project == own })
	}
	for _, f := range filters {
		value := q.last(f)
		switch f {
		case "name":
			tests = append(tests, func(b *backup) bool { return b.Name == value })
		case "name~":
			tests = append(tests, func(b *backup) bool { return strings.Contains(b.Name, value) })
		case "status":
			tests = append(tests, func(b *backup) bool { return b.Status == value })
		case "project_id":
			if all {
				within = nonNil(c.backups.byProject[value])
			}
			tests = append(tests, func(b *backup) bool { return b.Project == value })
		case "volume_id":
			within = nonNil(c.byVolume[value])
			tests = append(tests, func(b *backup) bool { return b.Volume == value })
		case "parent_id":
			within = nonNil(c.children[value])
			tests = append(tests, func(b *backup) bool { return b.Parent == value })
		default:
			within = map[string]*backup{}
		}
	}
	return within, func(b *backup) bool {
		for _, t := range tests {
			if !t(b) {
				return false
			}
		}
		return true
	}
}
