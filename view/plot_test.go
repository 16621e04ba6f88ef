package view

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPlotOfStoredDays(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 30, 15, 0, 0, 0, time.UTC)
	gib := func(d StoredDay) int { return d.GiB }
	assert.Nil(t, PlotOf(now, nil, "GiB", gib))
	p := PlotOf(now, []StoredDay{{"2026-03-01", 1, 0}, {"2026-03-02", 1, 100}, {"2026-03-30", 1, 50}}, "GiB", gib)
	require.NotNil(t, p)
	assert.Equal(t, "0.0,80.0 10.3,0.0 300.0,40.0", p.Line)
	assert.Equal(t, "0.0,80 0.0,80.0 10.3,0.0 300.0,40.0 300.0,80", p.Area)
	assert.Equal(t, "2026-03-01: 0 GiB, 2026-03-30: 50 GiB; at least 0, at most 100.", p.Text)
	assert.Equal(t, []string{"2026-03-01", "2026-03-30"}, []string{p.From, p.To})
	one := PlotOf(now, []StoredDay{{"2026-03-30", 1, 0}}, "GiB", gib)
	assert.Equal(t, "300.0,80.0 298.0,80.0", one.Line, "visible, and no division by zero")
}
