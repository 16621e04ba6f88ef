package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"staffeln/cli"
)

// Escape sequences of terminals.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l" // alternate screen, cursor hidden
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	clearLine   = "\x1b[K"
	clearRest   = "\x1b[J"
)

const (
	wideColumns = 115 // enough for more columns of the table
	minEvents   = 3   // lines of events that are always shown
	shortPage   = 24  // rows; up to here no line is left empty
)

// screen is the live view: a page that each snapshot redraws. The events remain in the terminal afterwards.
type screen struct {
	out   *os.File
	demo  *demo
	lines []string // events, each with its time
	last  *snapshot
}

func newScreen(out *os.File, d *demo) *screen {
	s := &screen{out: out, demo: d}
	s.write(enterScreen)
	return s
}

func (s *screen) write(page string) {
	_, _ = io.WriteString(s.out, page) // the demo continues without its terminal
}

func (s *screen) event(at time.Duration, line string) {
	s.lines = append(s.lines, sinceStart(at)+"  "+line)
}

func (s *screen) show(now *snapshot) {
	s.last = now
	columns, rows, ok := cli.TerminalSize(s.out)
	if !ok {
		return
	}
	page := s.page(now, columns)
	if page = append(page, legend()); rows > shortPage {
		page = append(page, "")
	}
	events := s.events(columns)
	free := max(minEvents, rows-len(page))
	page = append(page, events[max(0, len(events)-free):]...)
	var b strings.Builder
	b.WriteString(home)
	for i, line := range page[:min(len(page), rows)] {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(text.Trim(line, columns) + clearLine)
	}
	s.write(b.String() + clearRest)
}

// end leaves the events and the last table in the terminal.
func (s *screen) end() {
	columns, _, ok := cli.TerminalSize(s.out)
	if !ok {
		columns = wideColumns
	}
	var lines []string
	if s.last != nil {
		lines = append(append(append(s.events(columns), ""), s.page(s.last, columns)...), legend())
	}
	s.write(leaveScreen + strings.Join(lines, "\n") + "\n")
}

// events returns what happened so far, in lines that fit; only the newest is bright.
func (s *screen) events(columns int) (lines []string) {
	for i, event := range s.lines {
		colour := text.Colors{text.Faint}
		if i == len(s.lines)-1 {
			colour = nil
		}
		at, words, _ := strings.Cut(event, "  ")
		for line := range strings.SplitSeq(text.WrapSoft(words, columns-8), "\n") {
			lines = append(lines, colour.Sprintf("%-5s  %s", at, strings.TrimSpace(line)))
			at = ""
		}
	}
	return lines
}

// page returns everything above the events.
func (s *screen) page(now *snapshot, columns int) []string {
	header := text.Colors{text.Bold}.Sprint("Staffeln") + " " + sinceStart(now.at.Sub(s.demo.scenario.began)) + "  " + inOneLine(now)
	lines := []string{header, s.processes(now)}
	return append(lines, strings.Split(s.table(now, columns >= wideColumns), "\n")...)
}

// legend explains the drawn chains.
func legend() string {
	return colourPast.Sprint("  ") + colourGood.Sprint("■") + colourPast.Sprint(" full  ") + colourGood.Sprint("●") + colourPast.Sprint(" incremental  ") +
		colourProgress.Sprint("□○") + colourPast.Sprint(" being made  ") + colourRemoval.Sprint("■●") + colourPast.Sprint(" being removed  · removed")
}

// processes returns what each process is doing.
func (s *screen) processes(now *snapshot) string {
	words := make([]string, 0, len(s.demo.supervisor.processes))
	for _, p := range s.demo.supervisor.processes {
		word, colour := p.name, text.Colors{text.FgGreen}
		switch {
		case !p.running() && p.wanted:
			word, colour = word+" died", text.Colors{text.FgRed}
		case !p.running() && p.name == "worker-1" && !s.demo.scenario.killedAt.IsZero() && len(s.demo.scenario.steps) > 0:
			word, colour = word+" killed", text.Colors{text.FgRed, text.Bold}
		case !p.running():
			word, colour = word+" ended", text.Colors{text.Faint}
		case p.command == "scheduler" && p.cmd.Process.Pid == now.leader:
			word, colour = fmt.Sprintf("%s leads", word), text.Colors{text.FgGreen, text.Bold}
		}
		words = append(words, colour.Sprint(word))
	}
	return strings.Join(words, "  ")
}

func (s *screen) table(now *snapshot, wide bool) string {
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
	for _, volume := range s.demo.environment.volumes {
		t.AppendRow(volumeRow(now, volume, s.demo.environment, wide))
	}
	return t.Render()
}
