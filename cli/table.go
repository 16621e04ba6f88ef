package cli

import (
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// column is a column of a table. The flexible one gets the width that the others leave, and is cut or wrapped to it.
type column struct {
	name              string
	right, flex, wrap bool
}

// gap is between two columns.
const gap = "  "

// table writes rows under their column names, and how many more there are.
func (w *renderer) table(columns []column, rows [][]string, more int) {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", gap
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	var header table.Row
	var configs []table.ColumnConfig
	for i, c := range columns {
		cfg := table.ColumnConfig{Number: i + 1}
		if c.flex {
			cfg.WidthMax, cfg.WidthMaxEnforcer = w.rest(columns, rows), cut
		}
		if c.wrap {
			cfg.WidthMaxEnforcer = wrap
		}
		if c.right {
			cfg.Align, cfg.AlignHeader = text.AlignRight, text.AlignRight
		}
		header, configs = append(header, w.colour(faint, c.name)), append(configs, cfg)
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	for _, row := range rows {
		var cells table.Row
		for _, cell := range row {
			cells = append(cells, cell)
		}
		t.AppendRow(cells)
	}
	for line := range strings.SplitSeq(t.Render(), "\n") {
		w.line("%s%s", gap, strings.TrimRight(line, " "))
	}
	if more > 0 {
		w.line("  … and %d more", more)
	}
}

// rest returns the width that the other columns leave to the flexible one.
func (w *renderer) rest(columns []column, rows [][]string) int {
	left := w.width - len(gap)
	for i, c := range columns {
		if c.flex {
			continue
		}
		widest := text.StringWidth(c.name)
		for _, row := range rows {
			widest = max(widest, text.StringWidthWithoutEscSequences(row[i]))
		}
		left -= widest + len(gap)
	}
	return max(left, 12)
}

func cut(words string, width int) string { return text.Snip(words, width, "…") }

// first returns at most n rows, and how many are left out.
func first[T any](n int, rows []T) (some []T, more int) {
	n = min(n, len(rows))
	return slices.Clip(rows[:n]), len(rows) - n
}
