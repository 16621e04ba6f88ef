package backup

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// formatChains formats chains: `01 02 | 03`.
func formatChains(chains []Chain) string {
	var all []string
	for _, c := range chains {
		var ids []string
		for _, l := range c {
			ids = append(ids, strings.TrimPrefix(l.BackupID, "b"))
		}
		all = append(all, strings.Join(ids, " "))
	}
	return strings.Join(all, " | ")
}

func TestChains(t *testing.T) {
	for _, c := range []struct{ history, chains, restorable string }{
		{"", "", ""},
		{"F-6h I-5h I-4h F-3h I-2h", "01 02 03 | 04 05", "01 02 03 04 05"},
		{"I-4h F-6h I-5h", "02 03 01", "02 03 01"},
		{"I-6h I-5h F-4h I-3h", "01 02 | 03 04", "03 04"},
		{"F-6h Fe-5h I-4h", "01 03 | 02", "01 03"},
		{"Fe-6h I-5h", "01 | 02", ""},
		{"Ie-6h I-5h", "01 02", ""},
		{"F-6h Fd-5h I-4h", "01 | 02 03", "01"},
		{"F-6h Ie-5h I-4h", "01 02 03", "01"},
		{"Fr-6h Ir-5h I-4h", "01 02 03", "01 02 03"},
		{"Fu-6h I-5h F-4h Ic-3h", "01 02 | 03 04", "03"},
		{"F-6h F-5h@B I-4h I-3h@B", "01 03 | 02 04", "01 02 03 04"},
		{"f-6h I-5h i-4h", "01 02 03", "01 02 03"},
		{"F-5h I-5h F-5h", "01 02 | 03", "01 02 03"}, // ties: by ID
	} {
		ls := links(t, c.history)
		require.Equal(t, c.chains, formatChains(Chains(ls)), c.history)
		require.Equal(t, c.restorable, strings.ReplaceAll(formatChains([]Chain{Restorable(ls)}), "|", ""), c.history)
	}
	require.Zero(t, Chain(nil).usable())
	require.Zero(t, Chain(links(t, "I-1h")).usable())
	require.Equal(t, 1, Chain(links(t, "F-2h Ie-1h")).usable())
}

// Cinder's times in seconds are equal: the creation time decides, whichever ID is smaller.
func TestChainsBreakTiesByCreationTime(t *testing.T) {
	ls := links(t, "I-5h F-5h")
	ls[0].CreatedTime = ls[0].CreatedTime.Add(1)
	require.Equal(t, "02 01", formatChains(Chains(ls)))
}
