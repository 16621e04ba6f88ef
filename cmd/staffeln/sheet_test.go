package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/db"
	"staffeln/show"
)

// A wide terminal gets whole names.
func TestSheet_Width(t *testing.T) {
	name := strings.Repeat("long", 20)
	v := statusView{show.Status{Listed: []show.Standing{{Object: show.Object{VolumeID: name}, Standing: db.Late}}, Volumes: show.Counts{Late: 1}}}
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
	(statusView{show.Status{Listed: []show.Standing{{Object: show.Object{VolumeID: "v"}, Standing: db.Late, LateSince: &since}}, Volumes: show.Counts{Late: 1}}}).draw(status)
	require.Contains(t, status.String(), "none; late since 2026-03-06 09:00")
	(&explainView{&show.Explanation{Standing: db.Late, LateSince: &since, LateAfter: 8 * 3600}}).drawStanding(explain)
	said := strings.Join(strings.Fields(explain.String()), " ")
	require.Contains(t, said, "stands LATE: no restore point (late since 2026-03-06 09:00, 3h ago: protected and without one for more than 8h)")
}
