package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// What a terminal understands: another page without a cursor, and back; the beginning of the page; the rest of a line
// and of a page to be wiped.
const (
	otherPage = "\x1b[?1049h\x1b[?25l"
	ownPage   = "\x1b[?25h\x1b[?1049l"
	pageStart = "\x1b[H"
	wipeLine  = "\x1b[K"
	wipeRest  = "\x1b[J"
)

const (
	wideColumns = 115 // from here on there is room for more columns
	leastStory  = 3   // lines of the story that are always shown
	shortPage   = 24  // rows: so few that no line is left empty
)

// demoScreen is the live view: a page that is drawn anew at each look. What it told stays in the terminal after it.
type demoScreen struct {
	out   *os.File
	demo  *demo
	lines []string // of the story, each with its time
	last  *sight
}

func newDemoScreen(out *os.File, d *demo) *demoScreen {
	s := &demoScreen{out: out, demo: d}
	s.write(otherPage)
	return s
}

func (s *demoScreen) write(page string) {
	_, _ = io.WriteString(s.out, page) // a terminal that is gone does not stop the demo
}

func (s *demoScreen) tell(at time.Duration, line string) {
	s.lines = append(s.lines, sinceStart(at)+"  "+line)
}

func (s *demoScreen) show(l *sight) {
	s.last = l
	columns, rows, good := terminalSize(s.out)
	if !good {
		return
	}
	page := s.page(l, columns)
	if page = append(page, legend()); rows > shortPage {
		page = append(page, "")
	}
	story := s.story(columns)
	room := max(leastStory, rows-len(page))
	page = append(page, story[max(0, len(story)-room):]...)
	var b strings.Builder
	b.WriteString(pageStart)
	for i, line := range page[:min(len(page), rows)] {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(text.Trim(line, columns) + wipeLine)
	}
	s.write(b.String() + wipeRest)
}

// end leaves the story and the last table in the terminal.
func (s *demoScreen) end() {
	columns, _, good := terminalSize(s.out)
	if !good {
		columns = wideColumns
	}
	var lines []string
	if s.last != nil {
		lines = append(append(append(s.story(columns), ""), s.page(s.last, columns)...), legend())
	}
	s.write(ownPage + strings.Join(lines, "\n") + "\n")
}

// story is what happened so far, in lines that fit; the newest ones are bright.
func (s *demoScreen) story(columns int) (lines []string) {
	for i, told := range s.lines {
		color := text.Colors{text.Faint}
		if i == len(s.lines)-1 {
			color = nil
		}
		at, told, _ := strings.Cut(told, "  ")
		for line := range strings.SplitSeq(text.WrapSoft(told, columns-8), "\n") {
			lines = append(lines, color.Sprintf("%-5s  %s", at, strings.TrimSpace(line)))
			at = ""
		}
	}
	return lines
}

// page is everything above the story.
func (s *demoScreen) page(l *sight, columns int) []string {
	head := text.Colors{text.Bold}.Sprint("Staffeln") + " " + sinceStart(l.now.Sub(s.demo.story.began)) + "  " + inOneLine(l)
	lines := []string{head, s.processes(l)}
	return append(lines, strings.Split(s.table(l, columns >= wideColumns), "\n")...)
}

// legend says what the drawn chains are made of.
func legend() string {
	return paintPast.Sprint("  ") + paintGood.Sprint("■") + paintPast.Sprint(" full  ") + paintGood.Sprint("●") + paintPast.Sprint(" incremental  ") +
		paintBusy.Sprint("□○") + paintPast.Sprint(" being made  ") + paintGoing.Sprint("■●") + paintPast.Sprint(" being removed  · removed")
}

// processes says what each of them is doing.
func (s *demoScreen) processes(l *sight) string {
	words := make([]string, 0, len(s.demo.house.members))
	for _, m := range s.demo.house.members {
		word, color := m.name, text.Colors{text.FgGreen}
		switch {
		case !m.running() && m.wanted:
			word, color = word+" died", text.Colors{text.FgRed}
		case !m.running() && m.name == "worker-1" && !s.demo.story.killedAt.IsZero() && len(s.demo.story.acts) > 0:
			word, color = word+" killed", text.Colors{text.FgRed, text.Bold}
		case !m.running():
			word, color = word+" ended", text.Colors{text.Faint}
		case m.command == "scheduler" && m.cmd.Process.Pid == l.leader:
			word, color = fmt.Sprintf("%s leads", word), text.Colors{text.FgGreen, text.Bold}
		}
		words = append(words, color.Sprint(word))
	}
	return strings.Join(words, "  ")
}

func (s *demoScreen) table(l *sight, wide bool) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleRounded)
	t.Style().Format.Header = text.FormatDefault
	t.Style().Color.Header = text.Colors{text.Bold}
	t.Style().Color.Border, t.Style().Color.Separator = text.Colors{text.Faint}, text.Colors{text.Faint}
	header := table.Row{"volume", "GiB", "chains", "now"}
	configs := []table.ColumnConfig{
		{Number: 2, Align: text.AlignRight, AlignHeader: text.AlignRight},
		{Number: 3, WidthMin: 11},
		{Number: 4, WidthMin: 31},
	}
	if wide {
		header = append(header, "restore points", "decision")
		configs = append(configs,
			table.ColumnConfig{Number: 5, Align: text.AlignRight}, table.ColumnConfig{Number: 6, WidthMin: 18})
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(configs)
	for _, volume := range s.demo.world.volumes {
		t.AppendRow(volumeRow(l, volume, s.demo.world, wide))
	}
	return t.Render()
}
