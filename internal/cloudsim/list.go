package cloudsim

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// listing is the query of one page of a table.
type listing[T any] struct {
	table   *table[T]
	within  map[string]*T // nil is the whole table
	order   order[T]
	keep    func(*T) bool
	marker  *T
	offset  int
	limit   int
	counted bool // the total is wanted, so all items are counted
}

func (l listing[T]) walk() (page []*T, total int) {
	items := l.table.sorted
	var all []*T
	if l.within == nil {
		all = items(l.order)
	} else {
		all = make([]*T, 0, len(l.within))
		for _, item := range l.within {
			all = append(all, item)
		}
		slices.SortFunc(all, l.order.compare)
	}
	if l.counted {
		for _, item := range all {
			if l.keep(item) {
				total++
			}
		}
	}
	if l.marker != nil {
		at, found := slices.BinarySearchFunc(all, l.marker, l.order.compare)
		if found {
			at++
		}
		all = all[at:]
	}
	skip := l.offset
	for _, item := range all {
		if len(page) == l.limit {
			break
		}
		if !l.keep(item) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		page = append(page, item)
	}
	return page, total
}

// number reads limit or offset as Cinder does.
func (q *call) number(name string, d int) (int, response, bool) {
	if !q.query.Has(name) {
		return d, response{}, true
	}
	n, err := strconv.Atoi(q.last(name))
	switch {
	case err != nil:
		return 0, badRequest(name + " param must be an integer"), false
	case n < 0:
		return 0, badRequest(name + " param must be positive"), false
	}
	return n, response{}, true
}

// last returns the value of a parameter. If it is given several times, the last value counts.
func (q *call) last(name string) string {
	vs := q.query[name]
	if len(vs) == 0 {
		return ""
	}
	return vs[len(vs)-1]
}

// parameters returns the names in the query in their order.
func (q *call) parameters() []string {
	var out []string
	for pair := range strings.SplitSeq(q.raw, "&") {
		k, _, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(k); err == nil && name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// nextLink returns the URL of the next page: the same query with another marker at its end.
func (q *call) nextLink(marker string) string {
	var kept []string
	for pair := range strings.SplitSeq(q.raw, "&") {
		if pair != "" && !strings.HasPrefix(pair, "marker=") {
			kept = append(kept, pair)
		}
	}
	if q.route.service == compute {
		slices.Sort(kept)
	}
	return q.base + q.path + "?" + strings.Join(append(kept, "marker="+marker), "&")
}

type link struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
}

// links returns the links of one object. The bookmark has no version.
func (q *call) links(collection, id string) []link {
	prefix, version := "/volume", "/v3"
	if q.route.service == compute {
		prefix, version = "/compute", "/v2.1"
	}
	project := ""
	if q.route.service == blockStorage && q.vars["omitted"] == "" {
		project = "/" + q.vars["project"]
	}
	rest := project + "/" + collection + "/" + id
	return []link{{"self", q.base + prefix + version + rest}, {"bookmark", q.base + prefix + rest}}
}

// sorting makes an order from keys and directions. The creation time and the ID are always the last keys, in the direction of
// the first key, so that every order is total and a marker is unambiguous.
func sorting[T any](keys, dirs []string, by map[string]func(a, b *T) int, stable ...string) (order[T], bool) {
	for _, k := range []string{"created_at", "id"} {
		if !slices.Contains(keys, k) {
			keys, dirs = append(keys, k), append(dirs, dirs[0])
		}
	}
	o := order[T]{stable: true}
	compares := make([]func(a, b *T) int, 0, len(keys))
	for i, k := range keys {
		compare, ok := by[k]
		if !ok {
			return o, false
		}
		if dirs[i] == "desc" {
			asc := compare
			compare = func(a, b *T) int { return asc(b, a) }
		}
		compares = append(compares, compare)
		o.name += k + ":" + dirs[i] + ","
		o.stable = o.stable && slices.Contains(stable, k)
	}
	o.compare = func(a, b *T) int {
		for _, compare := range compares {
			if n := compare(a, b); n != 0 {
				return n
			}
		}
		return 0
	}
	return o, true
}

func byString[T any](get func(*T) string) func(a, b *T) int {
	return func(a, b *T) int { return cmp.Compare(get(a), get(b)) }
}

func byTime[T any](get func(*T) time.Time) func(a, b *T) int {
	return func(a, b *T) int { return get(a).Compare(get(b)) }
}

func byInt[T any](get func(*T) int) func(a, b *T) int {
	return func(a, b *T) int { return cmp.Compare(get(a), get(b)) }
}
