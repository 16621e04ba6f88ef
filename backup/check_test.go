package backup

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rule parses `1h/10min depth 2`: a backup each hour, a plan every ten minutes, two incrementals after each full.
func rule(t testing.TB, s string) (p Policy) {
	t.Helper()
	words := strings.FieldsFunc(s, func(r rune) bool { return r == '/' || r == ' ' })
	require.Len(t, words, 4, "want interval/period depth n, got %q", s)
	var err error
	p.Interval, p.Period = span(t, words[0]), span(t, words[1])
	p.Depth, err = strconv.Atoi(words[3])
	require.NoError(t, err)
	return p
}

// subject parses the properties of the volume in a history, `status=error size=20 project=B unprotected gone paused
// manual`, and returns the rest.
func subject(t testing.TB, history string) (Subject, string) {
	t.Helper()
	s := Subject{Volume: Volume{ID: "v", ProjectID: "A", Status: "in-use", SizeGiB: 10}, Protected: true}
	var rest []string
	for w := range strings.FieldsSeq(history) {
		name, value, _ := strings.Cut(w, "=")
		switch name {
		case "status":
			s.Status = value
		case "size":
			s.SizeGiB, _ = strconv.Atoi(value)
		case "project":
			s.ProjectID = value
		case "unprotected":
			s.Protected = false
		case "gone":
			s.Gone = true
		case "paused":
			s.Paused = true
		case "manual":
			s.Manual = true
		default:
			rest = append(rest, w)
		}
	}
	return s, strings.Join(rest, " ")
}

// formatDecision formats a decision: `full chain_complete`, `full! size_changed` (a forced full), `wait backup_is_fresh 10min`
// (until 10 minutes from now).
func formatDecision(d Decision) string {
	text := string(d.Action)
	if d.Action == Create {
		text = string(d.Kind)
	}
	if d.ForcedFull {
		text += "!"
	}
	if !d.At.IsZero() {
		return fmt.Sprintf("%s %s %s", text, d.Reason, Duration(d.At.Sub(now)))
	}
	return fmt.Sprintf("%s %s", text, d.Reason)
}

// check asserts the result of Next for a history, and the invariants of every decision.
func check(t *testing.T, policy, history, want string) {
	t.Helper()
	s, words := subject(t, history)
	p, rs := rule(t, policy), records(t, words)
	got := Next(now, p, s, rs)
	require.Equal(t, want, formatDecision(got), "%s: %s", policy, history)
	slices.SortStableFunc(rs, func(a, b Record) int { return a.PlannedAt.Compare(b.PlannedAt) })
	require.Empty(t, breachNext(p, s, rs, got), "%s: %s", policy, history)
}

// checkExpired asserts the result of Expired for each backup of a history, in its order: `-expired` expires now,
// `within_retention` is retained. The constraints are `floor 1`, `floor 1 building` or `floor 1 purged`.
func checkExpired(t *testing.T, constraints, history, want string) {
	t.Helper()
	k := parseConstraints(t, constraints)
	ls := links(t, history)
	removals, kept := Expired(now, k, ls)
	results := map[string]string{}
	for _, r := range removals {
		results[r.BackupID] = "-" + string(r.Reason)
	}
	for _, l := range kept {
		results[l.BackupID] = string(l.Reason)
	}
	var got []string
	for _, l := range ls {
		got = append(got, results[l.BackupID])
	}
	require.Equal(t, want, strings.Join(got, " "), "%s: %s", constraints, history)
	slices.SortStableFunc(ls, func(a, b Link) int { return a.DataTime.Compare(b.DataTime) })
	require.Empty(t, breachExpired(k, ls, removals, kept), "%s: %s", constraints, history)
}

func parseConstraints(t testing.TB, s string) (k Constraints) {
	t.Helper()
	words := strings.Fields(s)
	n, err := strconv.Atoi(words[1])
	require.NoError(t, err)
	return Constraints{Floor: n, Building: slices.Contains(words, "building"), Purged: slices.Contains(words, "purged")}
}
