package cli

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
)

// A wide terminal gets complete names.
func TestRenderer_Width(t *testing.T) {
	name := strings.Repeat("long", 20)
	v := statusPage{view.Status{AsOf: view.AsOf{PlannedAt: new(time.Time)}, Listed: []view.ListedVolume{{Object: view.Object{VolumeNames: view.VolumeNames{VolumeID: name}}, VolumeProtection: view.VolumeProtection{Protection: backup.Late}}}, Volumes: view.Counts{Late: 1}}}
	narrow, wide := newRenderer(false), newRenderer(false)
	wide.width = maxWidth
	v.render(narrow)
	v.render(wide)
	require.NotContains(t, narrow.String(), name)
	require.Contains(t, wide.String(), name)
}

// A volume is late without a restore point to date that by.
func TestPages_LateWithoutARestorePoint(t *testing.T) {
	at := time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC)
	since := at.Add(-3 * time.Hour)
	status, explain := newRenderer(false), newRenderer(false)
	status.now, explain.now = at, at
	(statusPage{view.Status{AsOf: view.AsOf{PlannedAt: new(time.Time)}, Listed: []view.ListedVolume{{Object: view.Object{VolumeNames: view.VolumeNames{VolumeID: "v"}}, VolumeProtection: view.VolumeProtection{Protection: backup.Late, LateSince: &since}}}, Volumes: view.Counts{Late: 1}}}).render(status)
	require.Contains(t, status.String(), "none; late since 2026-03-06 09:00")
	(&explainPage{&view.Explanation{VolumeProtection: view.VolumeProtection{Protection: backup.Late, LateSince: &since}, LateAfter: 8 * 3600}}).renderProtection(explain)
	text := strings.Join(strings.Fields(explain.String()), " ")
	require.Contains(t, text, "protection LATE: no restore point (late since 2026-03-06 09:00, 3h ago: protected and without one for more than 8h)")
}

// No name that a tenant gives a volume controls the terminal or forges a line, and programs read each name unchanged.
func TestRenderer_NamesCannotControlATerminal(t *testing.T) {
	const name = "data\x1b[2J\x1b]0;owned\a\n  all is well\u202e\u009b1A"
	listed := view.ListedVolume{Object: view.Object{VolumeNames: view.VolumeNames{VolumeID: "v", VolumeName: name, ServerName: name}, ProjectName: name}, VolumeProtection: view.VolumeProtection{Protection: backup.Late}}
	v := statusPage{view.Status{AsOf: view.AsOf{PlannedAt: new(time.Time)}, Listed: []view.ListedVolume{listed}, Volumes: view.Counts{Late: 1}}}
	for _, colours := range []bool{false, true} {
		w := newRenderer(colours)
		w.width = maxWidth
		v.render(w)
		o := &operator{out: w, in: bufio.NewReader(strings.NewReader("yes\n"))}
		require.NoError(t, o.confirm("Remove all of "+view.Or(name, "v")+"?"))
		require.Contains(t, w.String(), `data\x1b[2J\x1b]0;owned\a   all is well\u202e\u009b1A`)
		unseen := colourCodes.ReplaceAllString(w.String(), "")
		require.False(t, strings.ContainsFunc(unseen, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }), "%q", unseen)
		require.Equal(t, colours, unseen != w.String(), "our own colours")
		require.NotContains(t, unseen, "\n  all is well")
	}
	var out bytes.Buffer
	require.NoError(t, writeJSON(&out, v))
	require.False(t, strings.ContainsFunc(out.String(), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }), "%q", out.String())
	require.Contains(t, out.String(), `all is well\u202e\u009b1A`)
}
