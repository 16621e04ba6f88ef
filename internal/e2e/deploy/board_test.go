package deploy

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
)

const boardFile = "deploy/grafana/staffeln.json"

// Every query of the board uses only metrics and labels of docs/metrics.md, and
// the board shows every metric of ours that the page has, but the threshold that only an alert needs.
func TestBoardUsesDocumentedMetrics(t *testing.T) {
	var board struct {
		Panels []struct {
			ID          int
			Title, Type string
			Datasource  struct{ UID string }
			GridPos     struct{ X, Y, W, H int }
			Targets     []struct{ Expr, LegendFormat string }
		}
	}
	require.NoError(t, json.Unmarshal(read(t, boardFile), &board))
	documented := rig.DocumentedMetrics(t)
	var queries strings.Builder
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, panel := range board.Panels {
		require.False(t, ids[panel.ID], "two panels have the number %d", panel.ID)
		ids[panel.ID] = true
		for x := panel.GridPos.X; x < panel.GridPos.X+panel.GridPos.W; x++ {
			for y := panel.GridPos.Y; y < panel.GridPos.Y+panel.GridPos.H; y++ {
				require.Empty(t, taken[[2]int{x, y}], "%s is over another panel", panel.Title)
				taken[[2]int{x, y}] = panel.Title
			}
		}
		require.LessOrEqual(t, panel.GridPos.X+panel.GridPos.W, 24, panel.Title)
		if panel.Type == "row" {
			continue
		}
		require.Equal(t, "${datasource}", panel.Datasource.UID, panel.Title)
		require.NotEmpty(t, panel.Targets, panel.Title)
		for _, target := range panel.Targets {
			checkQuery(t, documented, target.Expr)
			require.NotEmpty(t, target.LegendFormat, panel.Title)
			queries.WriteString(target.Expr + "\n")
		}
	}
	for name := range documented {
		if name != "staffeln_run_late_after_seconds" && strings.HasPrefix(name, "staffeln_") {
			assert.Contains(t, queries.String(), name, "no panel shows it")
		}
	}
}
