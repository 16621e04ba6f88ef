package view

import (
	"fmt"

	"staffeln/backup"
)

// A Quota is one of Cinder's limits, and its usage.
type Quota struct {
	backup.Quota

	// Rate is the share of the limit that is in use or reserved; -1: there is no limit, or a limit of 0.
	Rate  float64 `json:"rate" desc:"share of the limit in use or reserved; -1: unlimited, or none allowed"`
	Level Level   `json:"level" desc:"green, yellow (above 0.5) or red (above 0.8)"`
	Words string  `json:"words" desc:"the same for people"`
}

// A Level is how critical something is.
type Level string

// The levels.
const (
	Green  Level = "green"
	Yellow Level = "yellow" // more than half of the limit
	Red    Level = "red"    // more than four fifths
)

// JudgeQuota returns the level of a quota. A limit of -1 means unlimited, a limit of 0 allows nothing.
func JudgeQuota(q backup.Quota) *Quota {
	judged := &Quota{Quota: q, Rate: -1, Level: Green}
	switch {
	case q.Limit < 0:
		judged.Words = "unlimited"
		return judged
	case q.Limit == 0:
		judged.Level, judged.Words = Red, "none allowed"
		return judged
	}
	judged.Rate = float64(q.Used()) / float64(q.Limit)
	switch rate := judged.Rate; {
	case rate > 1:
		judged.Level, judged.Words = Red, "over the limit"
	case rate == 1:
		judged.Level, judged.Words = Red, "used up"
	case rate > 0.8:
		judged.Level, judged.Words = Red, "nearly used up"
	case rate > 0.5:
		judged.Level, judged.Words = Yellow, "more than half used"
	default:
		judged.Words = "enough left"
	}
	return judged
}

// Figures returns the numbers: 12 of 20 in use, 1 reserved (65 %).
func (q Quota) Figures(unit string) string {
	limit := fmt.Sprintf("%d", q.Limit)
	if q.Limit < 0 {
		limit = "unlimited"
	}
	words := fmt.Sprintf("%d of %s%s in use", q.InUse, limit, unit)
	if q.Reserved != 0 {
		words += fmt.Sprintf(", %d%s reserved", q.Reserved, unit)
	}
	if q.Rate >= 0 {
		words += fmt.Sprintf(" (%.0f\u00a0%%)", q.Rate*100)
	}
	return words
}

// Percent returns the share for a bar, from 0 to 100.
func (q Quota) Percent() int {
	switch {
	case q.Limit < 0:
		return 0
	case q.Rate < 0 || q.Rate > 1:
		return 100
	}
	return int(q.Rate*100 + 0.5)
}
