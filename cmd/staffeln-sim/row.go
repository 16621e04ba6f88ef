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
	colourGood     = text.Colors{text.FgGreen}
	colourProgress = text.Colors{text.FgYellow}
	colourRemoval  = text.Colors{text.FgMagenta}
	colourPast     = text.Colors{text.Faint}
	colourBad      = text.Colors{text.FgRed, text.Bold}
)

// volumeRow returns the row of one volume.
func volumeRow(now *snapshot, volume string, e *environment, wide bool) table.Row {
	v, _ := e.sim.Volume(volume) // it exists: the demo made it
	records := now.of(volume)
	row := table.Row{e.names[volume], v.SizeGiB, drawChains(now.chains(volume)), activity(now, volume, records)}
	if !wide {
		return row
	}
	points := 0
	for _, r := range records {
		if r.State == backup.Available {
			points++
		}
	}
	return append(row, points, string(now.decisions[volume]))
}

// drawChains draws a square for a full, a circle for an incremental; hollow while it is made, a dot when it is gone.
func drawChains(chains [][]record) string {
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

func drawLink(r record) string {
	solid, hollow := "●", "○"
	if r.Kind == backup.Full {
		solid, hollow = "■", "□"
	}
	switch r.State {
	case backup.Available:
		return colourGood.Sprint(solid)
	case backup.Planned, backup.Creating, backup.Overdue:
		return colourProgress.Sprint(hollow)
	case backup.Deleting:
		return colourRemoval.Sprint(solid)
	case backup.Deleted, backup.Withdrawn:
		return colourPast.Sprint("·")
	case backup.Failed, backup.Lost, backup.Undeletable:
		return colourBad.Sprint("x")
	}
	return "?"
}

// activity returns what happens to the volume now, or else its protection.
func activity(now *snapshot, volume string, records []record) string {
	for _, r := range records {
		o, running := now.running[r.BackupID]
		took := now.at.Sub(o.since)
		switch {
		case r.State == backup.Planned:
			return colourProgress.Sprintf("%s planned", r.Kind)
		case r.State == backup.Creating && r.Reason == backup.ResponseUnknown && r.BackupID == "":
			return colourBad.Sprint("no response: searching its tag")
		case r.State == backup.Creating && r.BackupID == "":
			return colourProgress.Sprintf("asking for %s", r.Kind)
		case r.State == backup.Creating && !running:
			return colourProgress.Sprintf("%s %s done", drawBar(1), r.Kind)
		case r.State == backup.Creating:
			return colourProgress.Sprintf("%s %s %s", drawBar(partOf(took, now.usual[volume])), inSeconds(took), r.Kind)
		case r.State == backup.Deleting && running:
			return colourRemoval.Sprintf("removing %s %s", r.Kind, inSeconds(took))
		case r.State == backup.Deleting:
			return colourRemoval.Sprintf("removing %s", r.Kind)
		}
	}
	if len(records) == 0 {
		return colourPast.Sprint("not seen yet")
	}
	if newest := records[len(records)-1]; newest.State == backup.Failed {
		return colourBad.Sprintf("%s: owner is %s", newest.Reason, newest.Reason.Whose())
	}
	return colourGood.Sprint("protected")
}

// partOf returns which part of its usual time has passed. A first backup has no usual time; ten seconds are assumed.
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
