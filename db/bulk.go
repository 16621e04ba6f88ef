package db

import (
	"iter"
	"slices"
	"strings"
)

// columns collects rows as the arrays that unnest takes: one statement and one query plan for any number of rows.
type columns [][]any

func newColumns(n, rows int) columns {
	c := make(columns, n)
	for i := range c {
		c[i] = make([]any, 0, rows)
	}
	return c
}

func (c columns) add(values ...any) {
	for i, v := range values {
		if text, ok := v.(string); ok {
			v = storable(text)
		}
		c[i] = append(c[i], v)
	}
}

func (c columns) args() []any {
	args := make([]any, len(c))
	for i, column := range c {
		args[i] = column
	}
	return args
}

// storable replaces what Postgres refuses in a text. Tenants and Cinder choose these texts, and one odd name must not fail a
// whole plan.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

func chunks[T any](all []T) iter.Seq[[]T] { return slices.Chunk(all, batch) }
