package main

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/view"
	"staffeln/view/report"
)

// A wide terminal gets whole names.
func TestSheet_Width(t *testing.T) {
	name := strings.Repeat("long", 20)
	v := statusView{view.Status{Listed: []view.ListedVolume{{Object: view.Object{Object: report.Object{VolumeID: name}}, VolumeProtection: view.VolumeProtection{Protection: backup.Late}}}, Volumes: view.Counts{Late: 1}}}
	narrow, wide := newSheet(false), newSheet(false)
	wide.width = widestSheet
	v.draw(narrow)
	v.draw(wide)
	require.NotContains(t, narrow.String(), name)
	require.Contains(t, wide.String(), name)
}

// A volume that is late, and has no restore point that could tell since when.
func TestSheet_LateWithoutARestorePoint(t *testing.T) {
	at := time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC)
	since := at.Add(-3 * time.Hour)
	status, explain := newSheet(false), newSheet(false)
	status.now, explain.now = at, at
	(statusView{view.Status{Listed: []view.ListedVolume{{Object: view.Object{Object: report.Object{VolumeID: "v"}}, VolumeProtection: view.VolumeProtection{Protection: backup.Late, LateSince: &since}}}, Volumes: view.Counts{Late: 1}}}).draw(status)
	require.Contains(t, status.String(), "none; late since 2026-03-06 09:00")
	(&explainView{&view.Explanation{VolumeProtection: view.VolumeProtection{Protection: backup.Late, LateSince: &since}, LateAfter: 8 * 3600}}).drawProtection(explain)
	said := strings.Join(strings.Fields(explain.String()), " ")
	require.Contains(t, said, "stands LATE: no restore point (late since 2026-03-06 09:00, 3h ago: protected and without one for more than 8h)")
}

// Whatever a tenant names his volume, a terminal is moved by none of it, no line is forged, and a program reads the name
// as it is.
func TestNamesDoNothingToATerminal(t *testing.T) {
	const name = "data\x1b[2J\x1b]0;owned\a\n  all is well\u202e\u009b1A"
	listed := view.ListedVolume{Object: view.Object{Object: report.Object{VolumeID: "v", VolumeName: name, ServerName: name}, ProjectName: name}, VolumeProtection: view.VolumeProtection{Protection: backup.Late}}
	v := statusView{view.Status{Listed: []view.ListedVolume{listed}, Volumes: view.Counts{Late: 1}}}
	for _, colours := range []bool{false, true} {
		s := newSheet(colours)
		s.width = widestSheet
		v.draw(s)
		h := &hand{out: s, in: bufio.NewReader(strings.NewReader("yes\n"))}
		require.NoError(t, h.confirm("Remove all of "+view.Or(name, "v")+"?"))
		require.Contains(t, s.String(), `data\x1b[2J\x1b]0;owned\a   all is well\u202e\u009b1A`)
		unseen := paints.ReplaceAllString(s.String(), "")
		require.False(t, strings.ContainsFunc(unseen, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }), "%q", unseen)
		require.Equal(t, colours, unseen != s.String(), "our own colours")
		require.NotContains(t, unseen, "\n  all is well")
	}
	var out bytes.Buffer
	require.NoError(t, writeJSON(&out, v))
	require.False(t, strings.ContainsFunc(out.String(), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }), "%q", out.String())
	require.Contains(t, out.String(), `all is well\u202e\u009b1A`)
}
