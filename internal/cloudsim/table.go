package cloudsim

import (
	"cmp"
	"slices"
)

// table keeps things by ID and by project, and remembers the orders they were last listed in: a walk over
// a hundred thousand volumes sorts once, not once a page.
type table[T any] struct {
	byID      map[string]*T
	byProject map[string]map[string]*T
	id        func(*T) string
	project   func(*T) string
	changes   uint64 // of membership
	touches   uint64 // of anything
	orders    map[string]ordered[T]
}

type ordered[T any] struct {
	items   []*T
	version uint64
}

func newTable[T any](id, project func(*T) string) *table[T] {
	return &table[T]{
		byID: map[string]*T{}, byProject: map[string]map[string]*T{},
		id: id, project: project, orders: map[string]ordered[T]{},
	}
}

func (t *table[T]) add(item *T) {
	id := t.id(item)
	t.byID[id] = item
	p := t.project(item)
	if t.byProject[p] == nil {
		t.byProject[p] = map[string]*T{}
	}
	t.byProject[p][id] = item
	t.changes++
	t.touches++
}

func (t *table[T]) remove(item *T) {
	id := t.id(item)
	delete(t.byID, id)
	delete(t.byProject[t.project(item)], id)
	t.changes++
	t.touches++
}

// order is one way to list a table. A stable one rests on what never changes in an item, such as its
// birth and its ID, and stays valid until an item comes or goes.
type order[T any] struct {
	name    string
	stable  bool
	compare func(a, b *T) int
}

// sorted lists the whole table.
func (t *table[T]) sorted(o order[T]) []*T {
	version := t.changes
	if !o.stable {
		version = t.touches
	}
	if known, ok := t.orders[o.name]; ok && known.version == version {
		return known.items
	}
	items := make([]*T, 0, len(t.byID))
	for _, item := range t.byID {
		items = append(items, item)
	}
	slices.SortFunc(items, o.compare)
	t.orders[o.name] = ordered[T]{items, version}
	return items
}

// index adds to one of the cloud's indexes of sets.
func index[T any](sets map[string]map[string]*T, key, id string, item *T) {
	if sets[key] == nil {
		sets[key] = map[string]*T{}
	}
	sets[key][id] = item
}

// unindex takes away again what index added.
func unindex[T any](sets map[string]map[string]*T, key, id string) {
	delete(sets[key], id)
	if len(sets[key]) == 0 {
		delete(sets, key)
	}
}

// byKey lists a set in the order of its keys.
func byKey[T any](set map[string]*T) []*T {
	keys := make([]string, 0, len(set))
	for k := range set {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, cmp.Compare[string])
	out := make([]*T, len(keys))
	for i, k := range keys {
		out[i] = set[k]
	}
	return out
}
