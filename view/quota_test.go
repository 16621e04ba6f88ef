package view

import (
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func TestQuotaLevels(t *testing.T) {
	for _, c := range []struct {
		limit, inUse, reserved int
		level                  Level
		words, figures         string
	}{
		{-1, 7, 0, Green, "unlimited", "7 of unlimited in use"},
		{0, 0, 0, Red, "none allowed", "0 of 0 in use"},
		{0, 3, 0, Red, "none allowed", "3 of 0 in use"},
		{10, 5, 0, Green, "enough left", "5 of 10 in use (50 %)"},
		{1000, 501, 0, Yellow, "more than half used", "501 of 1000 in use (50 %)"},
		{10, 5, 1, Yellow, "more than half used", "5 of 10 in use, 1 reserved (60 %)"},
		{10, 8, 0, Yellow, "more than half used", "8 of 10 in use (80 %)"},
		{1000, 801, 0, Red, "nearly used up", "801 of 1000 in use (80 %)"},
		{10, 10, 0, Red, "used up", "10 of 10 in use (100 %)"},
		{10, 12, 0, Red, "over the limit", "12 of 10 in use (120 %)"},
	} {
		q := JudgeQuota(backup.Quota{Limit: c.limit, InUse: c.inUse, Reserved: c.reserved})
		require.Equal(t, c.level, q.Level, "%+v", c)
		require.Equal(t, c.words, q.Words)
		require.Equal(t, c.figures, q.Figures(""))
		require.LessOrEqual(t, q.Percent(), 100)
		require.GreaterOrEqual(t, q.Percent(), 0)
	}
}
