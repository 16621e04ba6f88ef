package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"staffeln/backup"
	"staffeln/cli"
	"staffeln/internal/cloudsim"
)

// A view shows the demo: live on a terminal, as plain lines elsewhere.
type view interface {
	event(at time.Duration, line string) // something happened, so long after the beginning
	show(*snapshot)
	end()
}

// newView returns the live view on a terminal, and plain lines anywhere else.
func newView(out io.Writer, d *demo) view {
	if f, isFile := out.(*os.File); isFile && os.Getenv("TERM") != "dumb" {
		if _, _, terminal := cli.TerminalSize(f); terminal {
			text.EnableColors()
			if os.Getenv("NO_COLOR") != "" {
				text.DisableColors()
			}
			return newScreen(f, d)
		}
	}
	return &plainLines{out: out, demo: d}
}

// plainLines writes lines without escape codes, and a summary every few seconds.
type plainLines struct {
	out  io.Writer
	demo *demo
	last time.Time
}

const summaryPeriod = 5 * time.Second

func (p *plainLines) event(at time.Duration, line string) {
	_, _ = fmt.Fprintf(p.out, "%s  %s\n", sinceStart(at), line) // the demo continues without its reader
}

func (p *plainLines) show(now *snapshot) {
	if now.at.Sub(p.last) < summaryPeriod {
		return
	}
	p.last = now.at
	p.event(now.at.Sub(p.demo.scenario.began), "  "+inOneLine(now))
}

func (p *plainLines) end() {}

// inOneLine returns a summary in one line.
func inOneLine(now *snapshot) string {
	full, incremental := now.madeByKind()
	return fmt.Sprintf("%d full + %d incremental, %d in progress, %d removed, %d failed",
		full, incremental, len(now.inProgress()), now.events(cloudsim.BackupDeleted), now.count(backup.Failed))
}
