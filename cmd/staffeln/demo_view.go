package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// A demoView is where the demo is watched.
type demoView interface {
	tell(at time.Duration, line string) // something happened, so long after the beginning
	show(*sight)                        // how things stand
	end()
}

// newView answers the live view on a terminal, and plain lines anywhere else.
func newDemoView(out io.Writer, d *demo) demoView {
	if f, isFile := out.(*os.File); isFile && os.Getenv("TERM") != "dumb" {
		if _, _, terminal := terminalSize(f); terminal {
			text.EnableColors()
			if os.Getenv("NO_COLOR") != "" {
				text.DisableColors()
			}
			return newDemoScreen(f, d)
		}
	}
	return &demoLines{out: out, demo: d}
}

// demoLines writes lines without escape codes, and every few seconds how things stand.
type demoLines struct {
	out  io.Writer
	demo *demo
	last time.Time
}

const plainPause = 5 * time.Second

func (p *demoLines) tell(at time.Duration, line string) {
	_, _ = fmt.Fprintf(p.out, "%s  %s\n", sinceStart(at), line) // whoever stopped reading does not stop the demo
}

func (p *demoLines) show(s *sight) {
	if s.now.Sub(p.last) < plainPause {
		return
	}
	p.last = s.now
	p.tell(s.now.Sub(p.demo.story.began), "  "+inOneLine(s))
}

func (p *demoLines) end() {}

// inOneLine is how things stand, in one line.
func inOneLine(s *sight) string {
	full, incremental := s.madeByKind()
	return fmt.Sprintf("%d full + %d incremental, %d in progress, %d removed, %d failed",
		full, incremental, len(s.inProgress()), s.events(cloudsim.BackupDeleted), s.count(backup.Failed))
}
