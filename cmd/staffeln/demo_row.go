package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"staffeln/backup"
)

var (
	paintGood  = text.Colors{text.FgGreen}
	paintBusy  = text.Colors{text.FgYellow}
	paintGoing = text.Colors{text.FgMagenta}
	paintPast  = text.Colors{text.Faint}
	paintBad   = text.Colors{text.FgRed, text.Bold}
)

// volumeRow is the line of one volume.
func volumeRow(l *sight, volume string, w *demoWorld, wide bool) table.Row {
	v, _ := w.sim.Volume(volume) // it is there: the demo made it
	records := l.of(volume)
	row := table.Row{w.names[volume], v.SizeGiB, drawn(l.chains(volume)), doing(l, volume, records)}
	if !wide {
		return row
	}
	points := 0
	for _, r := range records {
		if r.State == backup.Available {
			points++
		}
	}
	return append(row, points, string(l.decisions[volume]))
}

// drawn draws the chains: a square for a full, a circle for an incremental; hollow while it is made, a dot when it is gone.
func drawn(chains [][]demoRecord) string {
	var words []string
	for _, chain := range chains {
		var b strings.Builder
		for _, r := range chain {
			b.WriteString(drawLink(r))
		}
		words = append(words, b.String())
	}
	return strings.Join(words, " ")
}

func drawLink(r demoRecord) string {
	solid, hollow := "●", "○"
	if r.Kind == backup.Full {
		solid, hollow = "■", "□"
	}
	switch r.State {
	case backup.Available:
		return paintGood.Sprint(solid)
	case backup.Planned, backup.Creating, backup.Overdue:
		return paintBusy.Sprint(hollow)
	case backup.Deleting:
		return paintGoing.Sprint(solid)
	case backup.Deleted, backup.Withdrawn:
		return paintPast.Sprint("·")
	case backup.Failed, backup.Lost, backup.Undeletable:
		return paintBad.Sprint("x")
	}
	return "?"
}

// doing says what happens to the volume now, or how it stands.
func doing(l *sight, volume string, records []demoRecord) string {
	for _, r := range records {
		m, underWay := l.making[r.BackupID]
		took := l.now.Sub(m.since)
		switch {
		case r.State == backup.Planned:
			return paintBusy.Sprintf("%s planned", r.Kind)
		case r.State == backup.Creating && r.Reason == backup.AnswerUnknown && r.BackupID == "":
			return paintBad.Sprint("no answer: looks for its tag")
		case r.State == backup.Creating && r.BackupID == "":
			return paintBusy.Sprintf("asking for %s", r.Kind)
		case r.State == backup.Creating && !underWay:
			return paintBusy.Sprintf("%s %s done", drawBar(1), r.Kind)
		case r.State == backup.Creating:
			return paintBusy.Sprintf("%s %s %s", drawBar(partOf(took, l.usual[volume])), inSeconds(took), r.Kind)
		case r.State == backup.Deleting && underWay:
			return paintGoing.Sprintf("removing %s %s", r.Kind, inSeconds(took))
		case r.State == backup.Deleting:
			return paintGoing.Sprintf("removing %s", r.Kind)
		}
	}
	if len(records) == 0 {
		return paintPast.Sprint("not seen yet")
	}
	if newest := records[len(records)-1]; newest.State == backup.Failed {
		return paintBad.Sprintf("%s: %s must act", newest.Reason, newest.Reason.Whose())
	}
	return paintGood.Sprint("protected")
}

// partOf is the part of its usual time that has passed; of a first backup there is none, and a part of ten seconds
// stands for it.
func partOf(took, usual time.Duration) float64 {
	if usual <= 0 {
		usual = 10 * time.Second
	}
	return min(1, max(0, float64(took)/float64(usual)))
}

func drawBar(part float64) string {
	const cells = 10
	full := int(part * cells)
	return strings.Repeat("█", full) + strings.Repeat("░", cells-full)
}

func inSeconds(d time.Duration) string { return fmt.Sprintf("%.1f s", max(0, d.Seconds())) }
