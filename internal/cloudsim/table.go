package cloudsim

import (
	"cmp"
	"slices"
)

// table stores items by ID and by project, and caches the orders in which they were last listed: reading all pages of a hundred
// thousand volumes sorts once, not once for each page.
type table[T any] struct {
	byID      map[string]*T
	byProject map[string]map[string]*T
	id        func(*T) string
	project   func(*T) string
	changes   uint64 // of the set of items
	touches   uint64 // of any item
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

// order is one way to sort a table. A stable order uses only what never changes in an item, such as its creation time and its
// ID, and remains valid until an item is added or removed.
type order[T any] struct {
	name    string
	stable  bool
	compare func(a, b *T) int
}

// sorted returns the whole table in that order.
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

// index adds an item to an index of sets.
func index[T any](sets map[string]map[string]*T, key, id string, item *T) {
	if sets[key] == nil {
		sets[key] = map[string]*T{}
	}
	sets[key][id] = item
}

// unindex removes what index added.
func unindex[T any](sets map[string]map[string]*T, key, id string) {
	delete(sets[key], id)
	if len(sets[key]) == 0 {
		delete(sets, key)
	}
}

// byKey returns the items of a set in the order of their keys.
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
