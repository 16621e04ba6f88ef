package main

import (
	"strings"
	"testing"

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
