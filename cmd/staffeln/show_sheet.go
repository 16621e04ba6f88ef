package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"staffeln/cli"

	"staffeln/backup"
	"staffeln/internal/visible"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// sheetWidth is how wide a sheet is: what fits into every terminal. A wider terminal gets a wider sheet, so that names
// which are long are whole there; lines longer than widestSheet are hard to read.
const (
	sheetWidth  = 80
	widestSheet = 140
)

// A sheet is what a view is drawn on: lines and short tables that are read as well without colour.
type sheet struct {
	strings.Builder

	now     time.Time
	colours bool
	width   int
}

func newSheet(colours bool) *sheet { return &sheet{colours: colours, width: sheetWidth} }

// paints are the colours that paint writes.
var paints = regexp.MustCompile(`\x1b\[(0|1|2|31|32|33)m`)

// String is what was written on the sheet. Nothing in it moves a cursor or does more than colour a word, whatever a
// tenant named his volume.
func (s *sheet) String() string {
	written := s.Builder.String()
	if !s.colours {
		return visible.Lines(written)
	}
	var b strings.Builder
	from := 0
	for _, at := range paints.FindAllStringIndex(written, -1) {
		b.WriteString(visible.Lines(written[from:at[0]]) + written[at[0]:at[1]])
		from = at[1]
	}
	return b.String() + visible.Lines(written[from:])
}

// sheetFor answers the sheet for what is written to: as wide as the terminal, where it is one.
func sheetFor(out io.Writer) *sheet {
	s := newSheet(colourful(out))
	if file, ok := out.(*os.File); ok {
		if columns, _, good := cli.TerminalSize(file); good {
			s.width = min(max(columns, sheetWidth), widestSheet)
		}
	}
	return s
}

// colourful tells whether out is a terminal whose user did not ask for no colour (no-color.org).
func colourful(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// The colours, by what they say.
const (
	strong  = "1"
	faint   = "2"
	bad     = "31"
	good    = "32"
	careful = "33"
)

// paint colours a word where there are colours. A word keeps its meaning without.
func (s *sheet) paint(colour, word string) string {
	if !s.colours || word == "" {
		return word
	}
	return "\x1b[" + colour + "m" + word + "\x1b[0m"
}

// title writes the sheet's first lines. IDs and names in it may be long.
func (s *sheet) title(words string) {
	for line := range strings.SplitSeq(wrap(words, s.width), "\n") {
		s.line("%s", s.paint(strong, strings.TrimRight(line, " ")))
	}
}

// line writes one line.
func (s *sheet) line(format string, args ...any) {
	_, _ = fmt.Fprintf(s, format+"\n", args...) // into memory
}

// words writes a paragraph, wrapped and indented.
func (s *sheet) words(indent, words string) { s.hanging(indent, indent, words) }

// labelled writes a paragraph with its label before it.
func (s *sheet) labelled(label, words string) {
	s.hanging(fmt.Sprintf("  %-8s ", label), strings.Repeat(" ", 11), words)
}

// hanging writes a paragraph whose first line begins otherwise than the others, and as wide.
func (s *sheet) hanging(begins, indent, words string) {
	for line := range strings.SplitSeq(wrap(words, s.width-text.StringWidth(indent)), "\n") {
		s.line("%s%s", begins, strings.TrimRight(line, " "))
		begins = indent
	}
}

// section begins a part of the sheet; note says what it is about.
func (s *sheet) section(name, note string) {
	s.line("")
	if note != "" {
		note = s.paint(faint, "  "+note)
	}
	s.line("%s%s", s.paint(strong, name), note)
}

// A column of a table. The flexible one has what width the others leave; its words are cut there, or wrapped.
type column struct {
	name              string
	right, flex, wrap bool
}

// gap is between two columns.
const gap = "  "

// rest is the width that the other columns leave to the flexible one.
func (s *sheet) rest(columns []column, rows [][]string) int {
	left := s.width - len(gap)
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

// table writes rows below their columns. A view that shows of many only the first says how many more there are.
func (s *sheet) table(columns []column, rows [][]string, more int) {
	w := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", gap
	w.SetStyle(style)
	w.SuppressTrailingSpaces()
	var header table.Row
	var configs []table.ColumnConfig
	for i, c := range columns {
		config := table.ColumnConfig{Number: i + 1}
		if c.flex {
			config.WidthMax, config.WidthMaxEnforcer = s.rest(columns, rows), cut
		}
		if c.wrap {
			config.WidthMaxEnforcer = wrap
		}
		if c.right {
			config.Align, config.AlignHeader = text.AlignRight, text.AlignRight
		}
		header, configs = append(header, s.paint(faint, c.name)), append(configs, config)
	}
	w.SetColumnConfigs(configs)
	w.AppendHeader(header)
	for _, row := range rows {
		var cells table.Row
		for _, cell := range row {
			cells = append(cells, cell)
		}
		w.AppendRow(cells)
	}
	for line := range strings.SplitSeq(w.Render(), "\n") {
		s.line("%s%s", gap, strings.TrimRight(line, " "))
	}
	if more > 0 {
		s.line("  … and %d more", more)
	}
}

func cut(words string, width int) string { return text.Snip(words, width, "…") }

// wrap breaks each line for itself: what begins on a new line does so here, too.
func wrap(words string, width int) string {
	lines := strings.Split(words, "\n")
	for i, line := range lines {
		lines[i] = text.WrapSoft(line, width)
	}
	return strings.Join(lines, "\n")
}

// first returns at most n of the rows, and how many are left out.
func first[T any](n int, rows []T) (some []T, more int) {
	n = min(n, len(rows))
	return slices.Clip(rows[:n]), len(rows) - n
}

// near writes a moment without its year where that is the year of now, or else without the time of day.
func (s *sheet) near(t time.Time) string {
	if t.UTC().Year() != s.now.UTC().Year() {
		return t.UTC().Format(time.DateOnly)
	}
	return t.UTC().Format("01-02 15:04")
}

// ago writes the age of a moment, or how far ahead it is.
func (s *sheet) ago(t *time.Time) string {
	switch {
	case t == nil:
		return "-"
	case t.After(s.now):
		return "in " + backup.Span(t.Sub(s.now))
	}
	return backup.Span(s.now.Sub(*t)) + " ago"
}
