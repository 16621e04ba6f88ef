package db

import (
	"iter"
	"slices"
)

// columns gathers rows as the arrays that unnest takes: one statement and one
// plan for any number of rows.
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

func chunks[T any](all []T) iter.Seq[[]T] { return slices.Chunk(all, batch) }
