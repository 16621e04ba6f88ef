package cli

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"staffeln/backup"
	"staffeln/internal/visible"
)

// Every terminal has minWidth columns. A wider one gets wider lines, with whole names; lines longer than maxWidth are hard
// to read.
const (
	minWidth = 80
	maxWidth = 140
)

// renderer collects lines, paragraphs and tables that are as readable without colours.
type renderer struct {
	strings.Builder

	now     time.Time
	colours bool
	width   int
}

func newRenderer(colours bool) *renderer { return &renderer{colours: colours, width: minWidth} }

// rendererFor returns the renderer for an output: as wide as the terminal, if it is one.
func rendererFor(out io.Writer) *renderer {
	w := newRenderer(useColours(out))
	if columns, _, ok := TerminalSize(out); ok {
		w.width = min(max(columns, minWidth), maxWidth)
	}
	return w
}

// colourCodes matches the escape codes that colour writes.
var colourCodes = regexp.MustCompile(`\x1b\[(0|1|2|31|32|33)m`)

// String returns what was written. It contains no control characters except our own colours, regardless of the names that
// tenants give their volumes.
func (w *renderer) String() string {
	written := w.Builder.String()
	if !w.colours {
		return visible.Lines(written)
	}
	var b strings.Builder
	from := 0
	for _, at := range colourCodes.FindAllStringIndex(written, -1) {
		b.WriteString(visible.Lines(written[from:at[0]]) + written[at[0]:at[1]])
		from = at[1]
	}
	return b.String() + visible.Lines(written[from:])
}

// The colours, by meaning.
const (
	strong  = "1"
	faint   = "2"
	bad     = "31"
	good    = "32"
	warning = "33"
)

// colour colours a word if colours are on. Its meaning must be clear without.
func (w *renderer) colour(code, word string) string {
	if !w.colours || word == "" {
		return word
	}
	return "\x1b[" + code + "m" + word + "\x1b[0m"
}

// title writes the first lines. IDs and names in it may be long.
func (w *renderer) title(words string) {
	for line := range strings.SplitSeq(wrap(words, w.width), "\n") {
		w.line("%s", w.colour(strong, strings.TrimRight(line, " ")))
	}
}

// line writes one line.
func (w *renderer) line(format string, args ...any) {
	_, _ = fmt.Fprintf(w, format+"\n", args...) // into memory
}

// paragraph writes a wrapped and indented paragraph.
func (w *renderer) paragraph(indent, words string) { w.hangingIndent(indent, indent, words) }

// labelled writes a paragraph after its label.
func (w *renderer) labelled(label, words string) {
	w.hangingIndent(fmt.Sprintf("  %-10s ", label), strings.Repeat(" ", 13), words)
}

// hangingIndent writes a paragraph whose first line has another indent, of the same width.
func (w *renderer) hangingIndent(first, indent, words string) {
	for line := range strings.SplitSeq(wrap(words, w.width-text.StringWidth(indent)), "\n") {
		w.line("%s%s", first, strings.TrimRight(line, " "))
		first = indent
	}
}

// section begins a part, with a note about it.
func (w *renderer) section(name, note string) {
	w.line("")
	if note != "" {
		note = w.colour(faint, "  "+note)
	}
	w.line("%s%s", w.colour(strong, name), note)
}

// wrap wraps each line separately, so that the line breaks of words are kept.
func wrap(words string, width int) string {
	lines := strings.Split(words, "\n")
	for i, line := range lines {
		lines[i] = text.WrapSoft(line, width)
	}
	return strings.Join(lines, "\n")
}

// shortTime returns a time without its year, or in another year than now the date only.
func (w *renderer) shortTime(t time.Time) string {
	if t.UTC().Year() != w.now.UTC().Year() {
		return t.UTC().Format(time.DateOnly)
	}
	return t.UTC().Format("01-02 15:04")
}

// ago returns how long ago, or how far ahead, a time is.
func (w *renderer) ago(t *time.Time) string {
	switch {
	case t == nil:
		return "-"
	case t.After(w.now):
		return "in " + backup.Span(t.Sub(w.now))
	}
	return backup.Span(w.now.Sub(*t)) + " ago"
}

// TerminalSize returns the columns and rows of the terminal that out is; ok reports whether it is one.
func TerminalSize(out io.Writer) (columns, rows int, ok bool) {
	file, isFile := out.(*os.File)
	if !isFile {
		return 0, 0, false
	}
	columns, rows, err := term.GetSize(int(file.Fd()))
	return columns, rows, err == nil && columns > 0
}

// isTerminal reports whether a standard stream is a terminal.
func isTerminal(stream any) bool {
	file, isFile := stream.(*os.File)
	return isFile && term.IsTerminal(int(file.Fd()))
}

// useColours reports whether out is a terminal whose user did not turn colours off (no-color.org).
func useColours(out io.Writer) bool {
	return isTerminal(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
